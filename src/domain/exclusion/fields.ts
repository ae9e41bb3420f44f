import { bilingual, type Bilingual } from '../text.js';

/** What a condition can speak of on the alert itself. */
export const alertFields = ['title', 'detectorId', 'threatName', 'category', 'device'] as const;
/** What tells one file or process from another: conditions on these hold for one and the same piece of evidence. */
export const fileFields = ['fileName', 'folderPath', 'sha1', 'sha256', 'certificateThumbprint', 'commandLine'] as const;
/** What surrounds a file: where it went, and who ran it. Each group holds for one piece of evidence of its own. */
export const contextGroups = [['url', 'domain'], ['ip'], ['account']] as const;

export type AlertField = (typeof alertFields)[number];
export type FileField = (typeof fileFields)[number];
export type ContextField = (typeof contextGroups)[number][number];
export type EvidenceField = FileField | ContextField;
export type ExclusionField = AlertField | EvidenceField;

export const exclusionFields: readonly ExclusionField[] = [...alertFields, ...fileFields, ...contextGroups.flat()];

/**
 * Fields that say which software or which counterpart is meant. The others say only what kind of detection it was
 * (title, detector, threat, category) or where and under whose account: an exclusion of those alone would switch off a
 * whole detection, or the watch over a device or an account, and an attacker's alert would go the same way. Only a title
 * is taken without one of these, on a second approval.
 */
export const specificFields: readonly ExclusionField[] = [...fileFields, 'url', 'domain', 'ip'];

const NAMES: Record<ExclusionField, Bilingual> = {
  title: bilingual('title', 'タイトル'),
  detectorId: bilingual('detector', '検出器'),
  threatName: bilingual('threat name', '脅威名'),
  category: bilingual('category', 'カテゴリ'),
  device: bilingual('device', '端末'),
  fileName: bilingual('file name', 'ファイル名'),
  folderPath: bilingual('folder', 'フォルダー'),
  sha1: bilingual('SHA-1', 'SHA-1'),
  sha256: bilingual('SHA-256', 'SHA-256'),
  certificateThumbprint: bilingual('certificate thumbprint', '証明書の拇印'),
  commandLine: bilingual('command line', 'コマンドライン'),
  url: bilingual('URL', 'URL'),
  domain: bilingual('domain', 'ドメイン'),
  ip: bilingual('IP address', 'IP アドレス'),
  account: bilingual('account', 'アカウント'),
};

export function fieldName(field: ExclusionField): Bilingual {
  return NAMES[field];
}

/** The fields' names as one clause. */
export function fieldNames(fields: readonly ExclusionField[]): Bilingual {
  return bilingual(
    fields.map((field) => NAMES[field].en).join(', '),
    fields.map((field) => NAMES[field].ja).join('、'),
  );
}
