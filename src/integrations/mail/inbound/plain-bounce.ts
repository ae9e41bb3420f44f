import type { BouncedRecipient } from '../../../domain/customer-mail/mail.js';
import { oneLine } from '../../../domain/text.js';
import { toAddress } from './addresses.js';

const MAX_TEXT_LENGTH = 50_000;
const MAX_RECIPIENTS = 50;
/** How many lines below an address may tell of it. */
const MAX_DIAGNOSTIC_LINES = 8;

/** Where qmail, Exim, Sendmail and Exchange begin the copy of the mail, whose addresses are no recipients that failed. */
const COPY =
  /^-{2,} ?(?:Below this line is a copy|This is a copy of|Original message|The header of the original|Transcript of session|元のメッセージ|診断情報)|^(?:Original message headers|Diagnostic information for administrators|元のメッセージ ?ヘッダー|管理者向けの診断情報)\s?[:：]/im;
/** The server goes on trying. */
const DELAYED =
  /\bdelayed\b|will (?:keep|continue) trying|still (?:being )?(?:tr|queued)|not yet been delivered|遅延|再送を(?:試み|続け)/i;

/** The recipients that a bounce in plain words names: each on a line of its own, with the reason on the same or below it. */
export function readPlainBounce(text: string, failedRecipients: readonly string[]): BouncedRecipient[] {
  const own = text.slice(0, MAX_TEXT_LENGTH);
  const isDelayed = DELAYED.test(own);
  const copy = COPY.exec(own);
  const lines = (copy === null ? own : own.slice(0, copy.index)).split('\n');
  const found = new Map<string, string>();
  for (const [at, line] of lines.entries()) {
    const address = addressOnLine(line);
    if (address === null || found.has(address) || found.size >= MAX_RECIPIENTS) continue;
    found.set(address, reasonAt(lines, at));
  }
  for (const address of failedRecipients) if (!found.has(address)) found.set(address, '');
  // A server that names them in a header means only those.
  const meant = failedRecipients.length > 0 ? failedRecipients : [...found.keys()];
  const anyReason = reasonIn(own);
  return meant.map((address) => {
    const diagnostic = found.get(address) === '' ? anyReason : (found.get(address) ?? '');
    const status = statusIn(diagnostic) || (meant.length === 1 ? statusIn(own) : '');
    return { address, action: isDelayed || status.startsWith('4') ? 'delayed' : 'failed', status, diagnostic };
  });
}

/** `<a@b>:`, `a@b`, `a@b<mailto:a@b>`, `a@b (c@d)`, `a@b にメッセージを配信できませんでした`: an address first, and no sentence before it. */
function addressOnLine(line: string): string | null {
  const [, token = ''] = /^\s{0,8}(?:[-*・]\s{0,3})?<?([^\s<>()（）、。:：]{3,320})>?/.exec(line.slice(0, 400)) ?? [];
  return toAddress(token);
}

function reasonAt(lines: readonly string[], at: number): string {
  const words: string[] = [];
  for (const line of lines.slice(at + 1, at + 1 + MAX_DIAGNOSTIC_LINES)) {
    if (addressOnLine(line) !== null || (line.trim() === '' && words.length > 0)) break;
    if (line.trim() !== '') words.push(line.trim());
  }
  return oneLine(words.join(' '), 500);
}

/** The line with a reply code of SMTP, wherever it is. */
function reasonIn(text: string): string {
  const line = text.split('\n').find((one) => /\b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d{1,3}\b/.test(one.slice(0, 1_000)));
  return oneLine(line ?? '', 500);
}

function statusIn(text: string): string {
  return /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])/.exec(text)?.[0] ?? '';
}
