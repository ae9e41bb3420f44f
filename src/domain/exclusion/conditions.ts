import { z } from 'zod';
import { bilingual, oneLine, type Bilingual } from '../text.js';
import { exclusionFields, fieldName, specificFields, type ExclusionField } from './fields.js';

const MAX_PATTERN = 500;
const MAX_WILDCARDS = 10;
/** A wildcard needs a word of so many letters or digits beside it, no common one, before it can be said to mean something. */
const MIN_LITERAL_RUN = 3;
const MIN_IP_DIGITS = 4;

const WORDS = /[\p{L}\p{N}]+/gu;

/** Words that stand in so many names, paths and addresses that they say nothing of which one is meant. */
const COMMON_WORDS: ReadonlySet<string> = new Set(
  [
    'exe dll sys com bat cmd ps1 vbs vbe js jse wsf hta msi msp scr cpl lnk inf ocx drv iso img vhd vhdx zip rar 7z tar gz',
    'pdf doc docx docm xls xlsx xlsm ppt pptx pptm rtf txt csv xml json html htm tmp temp dat bin log',
    'users user public windows winnt system system32 syswow64 program files programdata appdata local roaming locallow',
    'desktop downloads documents device harddiskvolume',
    'http https ftp www net org edu gov mil int info biz',
  ].flatMap((words) => words.split(' ')),
);

function longestRun(text: string): number {
  const runs = (text.match(WORDS) ?? []).filter((run) => !COMMON_WORDS.has(run.toLowerCase()));
  return Math.max(0, ...runs.map((run) => run.length));
}

function beforeLast(text: string, mark: string): string {
  const at = text.lastIndexOf(mark);
  return at === -1 ? text : text.slice(0, at);
}

/** Does the condition by itself say which software or which counterpart is meant? */
function isSpecific(field: ExclusionField, pattern: string): boolean {
  if (!specificFields.includes(field)) return false;
  if (!pattern.includes('*')) return true;
  switch (field) {
    // `*.exe` and `*.com` say nothing: the extension, and a domain's last label, do not count.
    case 'fileName':
    case 'domain':
      return longestRun(beforeLast(pattern, '.')) >= MIN_LITERAL_RUN;
    case 'ip':
      return (pattern.match(/[0-9a-f]/gi) ?? []).length >= MIN_IP_DIGITS;
    case 'url': {
      const at = pattern.indexOf('://');
      return longestRun(at === -1 ? pattern : pattern.slice(at + 3)) >= MIN_LITERAL_RUN;
    }
    case 'title':
    case 'detectorId':
    case 'threatName':
    case 'category':
    case 'device':
    case 'folderPath':
    case 'sha1':
    case 'sha256':
    case 'certificateThumbprint':
    case 'commandLine':
    case 'account':
      return longestRun(pattern) >= MIN_LITERAL_RUN;
  }
}

function countWildcards(pattern: string): number {
  return pattern.split('*').length - 1;
}

const pattern = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(MAX_PATTERN, `must be at most ${MAX_PATTERN} characters`)
  .refine((text) => text === '' || text.replaceAll('*', '').trim() !== '', {
    message: 'must hold more than wildcards: this would match everything',
  })
  .refine((text) => countWildcards(text) <= MAX_WILDCARDS, { message: `must hold at most ${MAX_WILDCARDS} wildcards` });

/** A hash that is known only in part excludes what nobody has seen: only a whole one is taken. */
function hash(...lengths: number[]) {
  return pattern.refine((text) => lengths.includes(text.length) && /^[0-9a-f]+$/i.test(text), {
    message: `must be ${lengths.join(' or ')} hexadecimal digits, without wildcards`,
  });
}

/**
 * The conditions of an exclusion, one a field: `{ "fileName": "backup.exe", "folderPath": "C:\\Backup\\*" }`. All of
 * them have to hold. A text is compared as a whole and without regard to case; an asterisk stands for any run of
 * characters.
 *
 * - `folderPath` is the folder, without the file's name; `C:\App` is that folder only, `C:\App\*` all below it too.
 * - `domain` is the host in a URL of the evidence, never an account's Windows domain; `*.example.com` is its
 *   sub-domains without itself.
 * - `account` is compared with `DOMAIN\name`, with the name alone, and with the user principal name.
 * - `device` is compared with the device's id, its full name, and the name up to the first dot.
 * - `fileName` and the others speak of the process itself, never of the one that started it.
 */
export const conditionsSchema = z
  .strictObject({
    title: pattern.optional(),
    detectorId: pattern.optional(),
    threatName: pattern.optional(),
    category: pattern.optional(),
    device: pattern.optional(),
    fileName: pattern
      .refine((text) => !/[\\/]/.test(text), { message: 'must be a name: the folder belongs in folderPath' })
      .optional(),
    folderPath: pattern
      .refine((text) => !text.split(/[\\/]/).some((step) => step === '.' || step === '..'), {
        message: 'must not hold . or .. as a step',
      })
      .optional(),
    sha1: hash(40).optional(),
    sha256: hash(64).optional(),
    certificateThumbprint: hash(40, 64).optional(),
    commandLine: pattern.optional(),
    url: pattern.optional(),
    domain: pattern
      .refine((text) => !/[/:@]/.test(text), { message: 'must be a host name: anything more belongs in url' })
      .optional(),
    ip: pattern
      .refine((text) => !text.includes('/'), { message: 'must be an address: a range is written with *' })
      .optional(),
    account: pattern.optional(),
  })
  .superRefine((conditions, context) => {
    // A field at fault is told by itself; whether the rest would be enough is not the question then.
    if (context.issues.length > 0) return;
    const given = entries(conditions);
    if (given.length === 0) context.addIssue({ code: 'custom', message: 'must hold at least one condition' });
    else if (!isSpecificEnough(conditions) && !isTitleOnly(conditions)) {
      context.addIssue({
        code: 'custom',
        message: `must say which software or counterpart is meant: one of ${specificFields.join(', ')}, or at least the title, with ${MIN_LITERAL_RUN} letters or digits in a row beside a wildcard; ${given.map(([field]) => field).join(', ')} alone would exclude too much`,
      });
    }
  });
export type Conditions = z.infer<typeof conditionsSchema>;

function entries(conditions: Conditions): [ExclusionField, string][] {
  return exclusionFields.flatMap((field) => {
    const text = conditions[field];
    return text === undefined ? [] : [[field, text]];
  });
}

/** The conditions that are given, in the order of the fields. */
export function conditionEntries(conditions: Conditions): [ExclusionField, string][] {
  return entries(conditions);
}

/** Is one of the conditions specific by itself? */
export function isSpecificEnough(conditions: Conditions): boolean {
  return entries(conditions).some(([field, text]) => isSpecific(field, text));
}

/** Is a title the most that it says of what is meant? Such an exclusion needs a second approval. */
export function isTitleOnly(conditions: Conditions): boolean {
  const { title } = conditions;
  return title !== undefined && longestRun(title) >= MIN_LITERAL_RUN && !isSpecificEnough(conditions);
}

/** The conditions as one clause, e.g. `file name "backup.exe", folder "C:\Backup\*"`. */
export function conditionsWords(conditions: Conditions): Bilingual {
  const given = entries(conditions).map(([field, text]) => ({ name: fieldName(field), text: oneLine(text, 120) }));
  return bilingual(
    given.map(({ name, text }) => `${name.en} "${text}"`).join(', '),
    given.map(({ name, text }) => `${name.ja}「${text}」`).join('、'),
  );
}

/** What an analyst should know before proposing these conditions. */
export function remarksOn(conditions: Conditions): Bilingual[] {
  if (conditions.certificateThumbprint === undefined) return [];
  return [
    bilingual(
      'Defender’s alerts name no certificate so far: our own filter will match none by its thumbprint. An indicator in Defender does.',
      'Defender のアラートには現在証明書の情報が含まれないため、当社フィルターは拇印では該当しません (Defender のインジケーターでは有効です)。',
    ),
  ];
}
