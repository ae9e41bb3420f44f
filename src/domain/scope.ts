import type { AlertRecord } from './alert.js';
import type { DeviceKind } from './machine.js';
import { bilingual, type Bilingual } from './text.js';

export const scopeRules = ['severity', 'edr', 'windows', 'neutralised', 'excluded'] as const;
export type ScopeRule = (typeof scopeRules)[number];

/** One rule's finding, in words an analyst or a customer's lead can check. */
export interface Explanation {
  rule: ScopeRule;
  passed: boolean;
  /** True where the rule let the alert in only because something is new or unknown. */
  flagged: boolean;
  reason: Bilingual;
}

export interface Scope {
  inScope: boolean;
  closeReason: 'out-of-scope' | 'neutralised' | 'excluded' | null;
  explanation: Explanation[];
}

/** What is known of the alert's device: nothing yet, nothing ever (Defender does not know it, or the alert names none), or its kind. */
export type DeviceKnowledge = 'not-looked-up' | 'no-device' | 'not-found' | DeviceKind;

const EDR_SOURCES = ['windowsdefenderatp', 'edr', 'microsoftdefenderforendpoint'];

/** Every documented `detectionSource` that is not the EDR sensor. */
const OTHER_SOURCES = [
  'thirdpartysensors',
  'windowsdefenderav',
  'antivirus',
  'automatedinvestigation',
  'customdetection',
  'customerti',
  'customti',
  'mtp',
  'microsoft365defender',
  'officeatp',
  'microsoftthreatexperts',
  'threatexperts',
  'windowsdefendersmartscreen',
  'smartscreen',
];

function pass(rule: ScopeRule, reason: Bilingual): Explanation {
  return { rule, passed: true, flagged: false, reason };
}
function flag(rule: ScopeRule, reason: Bilingual): Explanation {
  return { rule, passed: true, flagged: true, reason };
}
function fail(rule: ScopeRule, reason: Bilingual): Explanation {
  return { rule, passed: false, flagged: false, reason };
}

/** 「Severity (危険度) が Medium 以上のアラートが対象」 */
function severityRule(alert: AlertRecord): Explanation {
  switch (alert.severity) {
    case 'High':
    case 'Medium':
      return pass(
        'severity',
        bilingual(
          `Severity is ${alert.severity}: Medium or higher.`,
          `危険度は ${alert.severity} で、Medium 以上です。`,
        ),
      );
    case 'Low':
    case 'Informational':
      return fail(
        'severity',
        bilingual(`Severity is ${alert.severity}: below Medium.`, `危険度は ${alert.severity} で、Medium 未満です。`),
      );
    case 'unknown':
      return flag(
        'severity',
        bilingual(
          `Severity "${alert.severityRaw ?? ''}" is not known: counted as High.`,
          `危険度「${alert.severityRaw ?? ''}」は未知のため、High として扱います。`,
        ),
      );
  }
}

/** 「分析対象の検知カテゴリはEDRです」 */
function edrRule(alert: AlertRecord, alsoInScope: readonly string[]): Explanation {
  const raw = alert.detectionSource ?? '';
  const source = raw.toLowerCase();
  if (EDR_SOURCES.includes(source)) {
    return pass('edr', bilingual(`Detected by EDR (${raw}).`, `EDR による検知です (${raw})。`));
  }
  if (alsoInScope.some((name) => name.toLowerCase() === source)) {
    return pass(
      'edr',
      bilingual(
        `Detected by ${raw}, which this customer's entry names.`,
        `お客様設定で対象とする検知元です (${raw})。`,
      ),
    );
  }
  if (OTHER_SOURCES.includes(source)) {
    return fail('edr', bilingual(`Detected by ${raw}, not by EDR.`, `検知元は ${raw} で、EDR ではありません。`));
  }
  return flag(
    'edr',
    bilingual(`Detection source "${raw}" is not known: kept in scope.`, `検知元「${raw}」は未知のため、対象とします。`),
  );
}

/** 「クライアント端末は、WindowsOS」 */
function windowsRule(device: DeviceKnowledge): Explanation {
  switch (device) {
    case 'windows-client':
      return pass('windows', bilingual('The device runs Windows.', '端末は Windows です。'));
    case 'windows-server':
      return pass('windows', bilingual('The device runs Windows Server.', '端末は Windows Server です。'));
    case 'not-windows':
      return fail('windows', bilingual('The device does not run Windows.', '端末は Windows ではありません。'));
    case 'not-looked-up':
      return pass('windows', bilingual('The device has not been looked up yet.', '端末はまだ照会していません。'));
    case 'not-found':
      return flag(
        'windows',
        bilingual(
          'Defender does not know the device: its system is unknown, kept in scope.',
          'Defender に端末の情報がなく OS が不明のため、対象とします。',
        ),
      );
    case 'no-device':
      return flag(
        'windows',
        bilingual('The alert names no device: kept in scope.', 'アラートに端末の指定がないため、対象とします。'),
      );
    case 'unknown':
      return flag(
        'windows',
        bilingual("The device's system is not known: kept in scope.", '端末の OS が不明のため、対象とします。'),
      );
  }
}

/**
 * 「ブロックまたは自動復旧機能で無害化されたアラートは分析対象外」. "No threat found", a part only, an investigation that
 * still runs, and contradictions are analysed; the status "Resolved" and the title prove nothing.
 */
function neutralisedRule(alert: AlertRecord): Explanation {
  const { judged, good, active } = alert.neutralisation;
  const state = alert.investigationState?.toLowerCase();
  const contradicted = state === 'failed' || state === 'partiallyremediated' || state === 'innerfailure';
  if (judged > 0 && good === judged && !contradicted) {
    return fail(
      'neutralised',
      bilingual(
        `Defender blocked or remediated all ${judged} pieces of evidence.`,
        `Defender が検知対象 ${judged} 件すべてをブロックまたは復旧しました。`,
      ),
    );
  }
  if (state === 'successfullyremediated' && active === 0) {
    return fail(
      'neutralised',
      bilingual('Automated investigation remediated the alert.', '自動調査により復旧されました。'),
    );
  }
  if (state === 'benign') {
    return pass(
      'neutralised',
      bilingual(
        'Automated investigation found no threat, which the SOC verifies.',
        '自動調査では脅威が見つかりませんでした。SOC で確認します。',
      ),
    );
  }
  if (good > 0) {
    return pass(
      'neutralised',
      bilingual(
        contradicted
          ? `Evidence was stopped (${good} of ${judged}), but the automated investigation says ${alert.investigationState ?? ''}.`
          : `Only ${good} of ${judged} pieces of evidence were stopped.`,
        contradicted
          ? `検知対象 ${judged} 件中 ${good} 件は停止されましたが、自動調査は ${alert.investigationState ?? ''} です。`
          : `停止されたのは検知対象 ${judged} 件中 ${good} 件のみです。`,
      ),
    );
  }
  return pass(
    'neutralised',
    bilingual('Defender has not neutralised the alert.', 'Defender による無害化は確認できません。'),
  );
}

/** Closed for what the rules say, by nobody's judgement: what changes may open it again. */
export function isByRules(closeReason: string | undefined): boolean {
  return closeReason === 'out-of-scope' || closeReason === 'neutralised' || closeReason === 'excluded';
}

/**
 * Judges an alert by itself, never by its Defender incident. Every alert that does not count has its reason. `excluded`:
 * the registered exclusion that it matches, in words; 「検知対象外リスト(ホワイトリスト)へ登録」.
 */
export function assessScope(
  alert: AlertRecord,
  device: DeviceKnowledge,
  alsoInScope: readonly string[],
  excluded: Bilingual | null = null,
): Scope {
  const explanation = [
    severityRule(alert),
    edrRule(alert, alsoInScope),
    windowsRule(device),
    neutralisedRule(alert),
    ...(excluded === null ? [] : [fail('excluded', excluded)]),
  ];
  const failed = explanation.filter(({ passed }) => !passed).map(({ rule }) => rule);
  if (failed.length === 0) return { inScope: true, closeReason: null, explanation };
  return {
    inScope: false,
    closeReason: closeReasonOf(failed),
    explanation,
  };
}

/** What alone would have kept it out names the reason; where several did, the first two say more than an exclusion. */
function closeReasonOf(failed: readonly ScopeRule[]): 'out-of-scope' | 'neutralised' | 'excluded' {
  if (failed.every((rule) => rule === 'excluded')) return 'excluded';
  return failed.every((rule) => rule === 'neutralised' || rule === 'excluded') ? 'neutralised' : 'out-of-scope';
}
