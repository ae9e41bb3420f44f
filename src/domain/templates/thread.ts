import { cameBackBefore } from '../incident/mails-again.js';
import { mayHaveReached, type IncidentRecord } from '../incident/record.js';
import { toMs } from '../time.js';

/** Letters, digits and hyphens stay, a colon is a plus, anything else is `_` and its code: no two texts come out alike. */
function encode(text: string): string {
  return text.replace(/[^A-Za-z0-9-]/g, (character) => {
    if (character === ':') return '+';
    const code = character.charCodeAt(0);
    return code <= 0xff ? `_${code.toString(16).padStart(2, '0')}` : `_u${code.toString(16).padStart(4, '0')}`;
  });
}

/** What `encode` was given. */
export function decodeIdPart(part: string): string {
  return part.replace(/\+|_u([0-9a-f]{4})|_([0-9a-f]{2})/g, (coded: string, long?: string, short?: string) =>
    coded === '+' ? ':' : String.fromCharCode(Number.parseInt(long ?? short ?? '', 16)),
  );
}

/** The parts of a Message-ID of our own; undefined for what is none. */
export function messageIdParts(messageId: string, mailDomain: string): string[] | undefined {
  const tail = `@${mailDomain}>`.toLowerCase();
  if (!messageId.startsWith('<') || !messageId.toLowerCase().endsWith(tail)) return undefined;
  return messageId.slice(1, -tail.length).split('.');
}

/**
 * The Message-ID of a duty's mail. One that came back goes out again as another mail: as the same it would be taken for a
 * copy and dropped.
 */
export function mailIdOf(record: IncidentRecord, dutyId: string, mailDomain: string): string {
  const isAnother = cameBackBefore(record, dutyId);
  const name = isAnother ? `${dutyId}:r${record.retries[dutyId] ?? 0}` : dutyId;
  return messageIdOf(record.incidentId, name, mailDomain);
}

/** The same mail has the same Message-ID however often it is tried. */
export function messageIdOf(incidentId: string, dutyId: string, mailDomain: string): string {
  return `<${encode(incidentId)}.${encode(dutyId)}@${mailDomain}>`;
}

export interface Thread {
  inReplyTo?: string;
  references: string[];
}

const PRIMARY = 'mail:primary';

/**
 * The customer mails of the incident before this one that went out, or may have: the primary first, then by their
 * start, none that came back. Mails to the SOC stand outside: the customer has none of them. Where all before it went through the lead's
 * thread, it answers those: they are what the customer has read.
 */
export function threadOf(record: IncidentRecord, dutyId: string): Thread {
  // A primary that came back and goes out again follows what was reached meanwhile.
  const isPrimaryFirst = !cameBackBefore(record, PRIMARY);
  if (!dutyId.startsWith('mail:') || (dutyId === PRIMARY && isPrimaryFirst)) return { references: [] };
  const all = Object.entries(record.effects).filter(([id]) => id.startsWith('mail:'));
  const own = all.filter(([id, { via }]) => via === undefined && id !== dutyId);
  const started = (own.length > 0 ? all.filter(([, { via }]) => via === undefined) : all).sort(
    ([a, first], [b, second]) => {
      if (isPrimaryFirst && a === PRIMARY) return -1;
      if (isPrimaryFirst && b === PRIMARY) return 1;
      return toMs(first.startedAt) - toMs(second.startedAt) || (a < b ? -1 : 1);
    },
  );
  // A mail that is tried again names the same ones as the first time, not those that have gone since.
  const place = started.findIndex(([id]) => id === dutyId);
  const references = (place < 0 ? started : started.slice(0, place))
    .filter(([, effect]) => mayHaveReached(effect))
    // The lead has not begun it.
    .filter(([, { messageId }]) => messageId !== '')
    .map(([, { messageId }]) => messageId);
  const inReplyTo = references.at(-1);
  return inReplyTo === undefined ? { references } : { inReplyTo, references };
}
