import { bilingual, clip, oneLine, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import { conditionEntries, type Conditions } from './conditions.js';
import { fieldNames, type ExclusionField } from './fields.js';

/** The fields of Defender's indicator that we set. Source: learn.microsoft.com, "Submit or Update Indicator API". */
export interface AllowedIndicator {
  indicatorType: 'FileSha1' | 'FileSha256' | 'CertificateThumbprint' | 'IpAddress' | 'DomainName' | 'Url';
  indicatorValue: string;
  action: 'Allowed';
  title: string;
  description: string;
  expirationTime: Instant;
}

export type IndicatorAnswer =
  | { kind: 'indicators'; indicators: AllowedIndicator[]; warning: Bilingual }
  /** `lost`: the conditions that an indicator would not keep. */
  | { kind: 'none'; reason: Bilingual; lost: ExclusionField[] };

interface IndicatorSource {
  exclusionId: string;
  conditions: Conditions;
  reason: string;
  expiresAt: Instant;
}

/** What Defender has a type for, the narrowest first: a file's content implies its other hash and its signature. */
const FILE_TYPES = [
  ['sha256', 'FileSha256'],
  ['sha1', 'FileSha1'],
  ['certificateThumbprint', 'CertificateThumbprint'],
] as const;
/** A URL implies its domain. */
const WEB_TYPES = [
  ['url', 'Url'],
  ['domain', 'DomainName'],
] as const;
const ADDRESS_TYPES = [['ip', 'IpAddress']] as const;

const NOT_PUBLIC_V4: readonly string[] = ['0.', '10.', '127.', '169.254.', '192.168.'];
const NOT_PUBLIC_V6: readonly string[] = ['fc', 'fd', 'fe8', 'fe9', 'fea', 'feb'];

/** Addresses of a private network, of the machine itself, of one link: Defender takes none of them as an indicator. */
function isInternal(ip: string): boolean {
  const text = ip.toLowerCase();
  if (text.includes(':'))
    return text === '::' || text === '::1' || NOT_PUBLIC_V6.some((start) => text.startsWith(start));
  const second = Number(text.split('.')[1]);
  const isClassB = text.startsWith('172.') && second >= 16 && second <= 31;
  return isClassB || NOT_PUBLIC_V4.some((start) => text.startsWith(start));
}

function none(lost: ExclusionField[], reason: Bilingual): IndicatorAnswer {
  return { kind: 'none', lost, reason };
}

const WARNING = bilingual(
  'An allow indicator lowers Defender’s own guard: until it expires, Defender may no longer block or report this on any device of the tenant, whatever it is used for.',
  '許可インジケーターは Defender 自体の防御を弱めます。有効期限までの間、このテナントのすべての端末で、用途にかかわらず Defender による遮断や検知が行われなくなることがあります。',
);

/**
 * The indicators that make Defender itself allow what the exclusion means. Defender knows single values only, each for
 * every device: where the exclusion demands more (a folder, an account, a title beside the hash), the indicator would
 * allow more than was approved, and there is none. Neither is there one for wildcards or for internal addresses.
 */
export function indicatorFor(exclusion: IndicatorSource): IndicatorAnswer {
  const given = conditionEntries(exclusion.conditions);
  const exact = new Map(given.filter(([, text]) => !text.includes('*')));
  const kinds = [FILE_TYPES, WEB_TYPES, ADDRESS_TYPES].filter((types) => types.some(([field]) => exact.has(field)));
  const [types, second] = kinds;
  if (types === undefined) {
    return none(
      given.map(([field]) => field),
      bilingual(
        'Defender holds indicators only for an exact SHA-1, SHA-256, certificate thumbprint, domain, URL or IP address.',
        'Defender に登録できるのは、SHA-1、SHA-256、証明書の拇印、ドメイン、URL、IP アドレスの完全一致のみです。',
      ),
    );
  }
  const implied: readonly ExclusionField[] = types.map(([field]) => field);
  const lost = given.map(([field]) => field).filter((field) => !implied.includes(field) || !exact.has(field));
  if (second !== undefined || lost.length > 0) {
    const names = fieldNames(lost);
    return none(
      lost,
      bilingual(
        `An indicator would allow more than this exclusion: Defender cannot hold these conditions together with it: ${names.en}.`,
        `インジケーターでは次の条件を併せて保持できず、登録内容より広く許可されてしまいます: ${names.ja}。`,
      ),
    );
  }
  const [field, indicatorType] = types.find(([name]) => exact.has(name)) ?? types[0];
  const indicatorValue = exact.get(field) ?? '';
  if (field === 'ip' && isInternal(indicatorValue)) {
    return none(
      ['ip'],
      bilingual(
        'Defender takes no indicator for an internal address.',
        'Defender には内部 IP アドレスのインジケーターを登録できません。',
      ),
    );
  }
  const indicator: AllowedIndicator = {
    indicatorType,
    indicatorValue,
    action: 'Allowed',
    title: oneLine(`Mimamori ${exclusion.exclusionId}`, 100),
    description: clip(exclusion.reason, 500),
    expirationTime: exclusion.expiresAt,
  };
  return { kind: 'indicators', indicators: [indicator], warning: WARNING };
}
