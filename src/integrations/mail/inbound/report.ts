import { LIMITS, type BouncedRecipient, type InboundMail } from '../../../domain/customer-mail/mail.js';
import { oneLine } from '../../../domain/text.js';
import { addressesIn, toAddress } from './addresses.js';
import { decodeUnnamed } from './charset.js';
import { readHeaders, type Headers } from './headers.js';
import { idIn, ownIdIn } from './ids.js';
import type { Part, Parts } from './parts.js';
import { readPlainBounce } from './plain-bounce.js';
import { decodeTransfer } from './transfer.js';

export type Report = NonNullable<InboundMail['report']>;

const MAX_RECIPIENTS = 50;
/** More than a report on a hundred recipients has. */
const MAX_REPORT_BYTES = 500_000;

/** What a delivery report says (RFC 3464), or, where it has no such part, what its text says. */
export function readReport(parts: Parts, text: string, ownDomain: string): Report {
  const { headers, leaves } = parts;
  const status = leaves.find(({ type }) => /^message\/(?:global-)?delivery-status$/.test(type.value));
  const fields = status === undefined ? [] : readStatus(contentOf(status));
  const recipients =
    fields.length > 0 ? fields : readPlainBounce(text, addressesIn(headers.first('x-failed-recipients')));
  return { messageId: originalId(parts, text, ownDomain), recipients: recipients.slice(0, MAX_RECIPIENTS) };
}

/** The returned mail's own Message-ID; else one of ours that is named anywhere, as a bounce without the mail does. */
function originalId({ headers, leaves }: Parts, text: string, ownDomain: string): string | null {
  const returned = leaves.find(({ type }) =>
    /^(?:message\/(?:rfc822|global)|text\/rfc822-headers|message\/global-headers)$/.test(type.value),
  );
  const id = returned === undefined ? null : idIn(readAll(contentOf(returned)).first('message-id'));
  const named = ['references', 'in-reply-to'].map((name) => headers.first(name)).join(' ');
  const attached = returned === undefined ? '' : decodeUnnamed(contentOf(returned).subarray(0, MAX_REPORT_BYTES));
  return id ?? ownIdIn(text, ownDomain) ?? ownIdIn(named, ownDomain) ?? ownIdIn(attached, ownDomain);
}

function contentOf(part: Part): Uint8Array {
  return decodeTransfer(part.bytes.subarray(0, MAX_REPORT_BYTES), part.transfer);
}

function readAll(bytes: Uint8Array): Headers {
  return readHeaders(bytes, 0, bytes.length, () => false).headers;
}

/** One block of fields for the mail, then one for each recipient, with empty lines between. */
function readStatus(bytes: Uint8Array): BouncedRecipient[] {
  const out: BouncedRecipient[] = [];
  let at = 0;
  while (at < bytes.length && out.length < MAX_RECIPIENTS) {
    const { headers, end } = readHeaders(bytes, at, bytes.length, () => false);
    const recipient = recipientOf(headers);
    if (recipient !== null) out.push(recipient);
    at = end > at ? end : nextLine(bytes, at);
  }
  return out;
}

function recipientOf(headers: Headers): BouncedRecipient | null {
  // The address that we wrote to, where the server names it: behind an alias the final one is nobody whom we know.
  const address = typedAddress(headers.first('original-recipient')) ?? typedAddress(headers.first('final-recipient'));
  if (address === null) return null;
  const status = /\d\.\d{1,3}\.\d{1,3}/.exec(headers.first('status'))?.[0] ?? '';
  return {
    address,
    action: actionOf(headers.first('action'), status),
    status,
    diagnostic: oneLine(typed(headers.first('diagnostic-code')).replace(/\s+/g, ' '), 500),
  };
}

/** `rfc822; user@host`: the type is of no use here. */
function typed(value: string): string {
  return value.replace(/^[a-z0-9-]{1,30}\s{0,5};\s{0,5}/i, '');
}

function typedAddress(value: string): string | null {
  const text = typed(value).trim();
  // RFC 3461 writes `+` and `=` as hexadecimal.
  const decoded = text.replace(/\+([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return (
    [text, decoded, ...addressesIn(text).slice(0, 1)]
      .map(toAddress)
      .find((address) => address !== null && address.length <= LIMITS.address) ?? null
  );
}

function actionOf(action: string, status: string): BouncedRecipient['action'] {
  switch (action.trim().toLowerCase()) {
    case 'delayed':
      return 'delayed';
    case 'delivered':
      return 'delivered';
    case 'relayed':
      return 'relayed';
    case 'expanded':
      return 'expanded';
    case 'failed':
      return 'failed';
    default:
      return status.startsWith('2') ? 'delivered' : status.startsWith('4') ? 'delayed' : 'failed';
  }
}

function nextLine(bytes: Uint8Array, at: number): number {
  const lf = bytes.indexOf(0x0a, at);
  return lf < 0 ? bytes.length : lf + 1;
}
