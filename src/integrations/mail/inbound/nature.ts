import type { Nature } from '../../../domain/customer-mail/mail.js';
import { oneLine } from '../../../domain/text.js';
import type { Headers } from './headers.js';
import { ownIdIn } from './ids.js';
import type { Parts } from './parts.js';
import { readStructured } from './structured.js';
import { decodeWords } from './words.js';

export interface Judged {
  nature: Nature;
  natureBecause: string;
}

/** A mail server's own mailboxes. */
const DAEMON = /^(?:mailer-daemon|mail-daemon|mailerdaemon|postmaster|microsoftexchange[0-9a-f]{20,40})@/i;
const DAEMON_PERSON = /^postmaster@/i;
/** The subjects of bounces. People write such words too: they count only beside an empty return path. */
const BOUNCE_SUBJECT =
  /undeliver|delivery (?:status notification|failed|failure|has failed)|mail delivery (?:failed|system)|returned mail|failure notice|non[- ]?delivery|配信不能|配信できません|配信エラー|配信の?失敗|送信できません|不達/i;

/**
 * Why no person wrote a mail, or why no answer may follow. Only headers decide, which programs set: a subject such as 自動返信 can be
 * a person's. All of them can be forged; what is no `message` is recorded and not acted on, so that a forger gains nothing.
 */
export function judgeNature(parts: Parts, from: string | null, ownDomain: string): Judged {
  const { headers } = parts;
  return (
    reportNature(parts) ??
    ownNature(headers, ownDomain) ??
    bounceNature(parts, from) ??
    automaticNature(headers) ??
    listNature(headers) ?? { nature: 'message', natureBecause: '' }
  );
}

function judged(nature: Nature, because: string): Judged {
  return { nature, natureBecause: oneLine(because, 200) };
}

function reportNature({ type, leaves }: Parts): Judged | null {
  if (type.value === 'message/delivery-status') return judged('delivery-report', `Content-Type: ${type.value}`);
  if (type.value === 'message/disposition-notification') return judged('read-receipt', `Content-Type: ${type.value}`);
  if (type.value !== 'multipart/report') return null;
  const named = type.params.get('report-type')?.toLowerCase() ?? '';
  const kind = named === '' ? (leaves.map((leaf) => leaf.type.value).find(isReportPart) ?? '') : `message/${named}`;
  const because = `Content-Type: multipart/report; report-type=${kind.replace('message/', '') || '?'}`;
  if (kind.endsWith('disposition-notification')) return judged('read-receipt', because);
  // Reports of abuse and of TLS are machines' mail as well, of another kind.
  return judged(kind === '' || kind.endsWith('delivery-status') ? 'delivery-report' : 'auto-reply', because);
}

function isReportPart(type: string): boolean {
  return /^message\/(?:global-)?(?:delivery-status|disposition-notification)$/.test(type);
}

function ownNature(headers: Headers, ownDomain: string): Judged | null {
  if (headers.has('x-mimamori-kind')) return judged('own', `X-Mimamori-Kind: ${headers.first('x-mimamori-kind')}`);
  const own = ownIdIn(headers.first('message-id'), ownDomain);
  return own === null ? null : judged('own', `Message-ID: ${own}`);
}

/** What servers send that know nothing of RFC 3464: Exim, qmail, old Sendmail, Exchange, Gmail. */
function bounceNature({ headers, leaves }: Parts, from: string | null): Judged | null {
  for (const name of ['x-failed-recipients', 'x-ms-exchange-message-is-ndr']) {
    if (headers.has(name)) return judged('delivery-report', `${name}: ${headers.first(name)}`);
  }
  const automatic = emptyPath(headers) ?? autoSubmitted(headers);
  if (from !== null && DAEMON.test(from) && (automatic !== null || !DAEMON_PERSON.test(from))) {
    return judged('delivery-report', `From: ${from}`);
  }
  if (automatic !== null && leaves.some((leaf) => /^message\/(?:global-)?delivery-status$/.test(leaf.type.value))) {
    return judged('delivery-report', 'Content-Type: message/delivery-status');
  }
  const subject = decodeWords(headers.first('subject'));
  return emptyPath(headers) !== null && BOUNCE_SUBJECT.test(subject)
    ? judged('delivery-report', `Return-Path: <>; Subject: ${subject}`)
    : null;
}

function automaticNature(headers: Headers): Judged | null {
  const because = autoSubmitted(headers) ?? emptyPath(headers);
  if (because !== null) return judged('auto-reply', because);
  for (const name of ['x-autoreply', 'x-autorespond', 'x-auto-response-suppress']) {
    if (headers.has(name)) return judged('auto-reply', `${name}: ${headers.first(name)}`);
  }
  return /^auto[_-]?reply/i.test(headers.first('precedence'))
    ? judged('auto-reply', `Precedence: ${headers.first('precedence')}`)
    : null;
}

function listNature(headers: Headers): Judged | null {
  const precedence = headers.all('precedence').find((value) => /^(?:bulk|junk|list)\b/i.test(value));
  if (precedence !== undefined) return judged('list', `Precedence: ${precedence}`);
  return headers.has('list-id') ? judged('list', `List-Id: ${headers.first('list-id')}`) : null;
}

function autoSubmitted(headers: Headers): string | null {
  const value = headers
    .all('auto-submitted')
    .map((raw) => readStructured(raw).value)
    .find((one) => one !== 'no' && one !== '');
  return value === undefined ? null : `Auto-Submitted: ${value}`;
}

function emptyPath(headers: Headers): string | null {
  return headers.all('return-path').some((value) => /^<\s*>$/.test(value)) ? 'Return-Path: <>' : null;
}
