import type { IncidentRecord } from '../incident/record.js';
import { toMs } from '../time.js';

/** Letters, digits and hyphens stay, a colon is a plus, anything else is `_` and its code: no two texts come out alike. */
function encode(text: string): string {
  return text.replace(/[^A-Za-z0-9-]/g, (character) => {
    if (character === ':') return '+';
    const code = character.charCodeAt(0);
    return code <= 0xff ? `_${code.toString(16).padStart(2, '0')}` : `_u${code.toString(16).padStart(4, '0')}`;
  });
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
 * start. Mails to the SOC stand outside: the customer has none of them. Where all before it went through the lead's
 * thread, it answers those: they are what the customer has read.
 */
export function threadOf(record: IncidentRecord, dutyId: string): Thread {
  if (!dutyId.startsWith('mail:') || dutyId === PRIMARY) return { references: [] };
  const all = Object.entries(record.effects).filter(([id]) => id.startsWith('mail:'));
  const own = all.filter(([id, { via }]) => via === undefined && id !== dutyId);
  const started = (own.length > 0 ? all.filter(([, { via }]) => via === undefined) : all).sort(
    ([a, first], [b, second]) => {
      if (a === PRIMARY) return -1;
      if (b === PRIMARY) return 1;
      return toMs(first.startedAt) - toMs(second.startedAt) || (a < b ? -1 : 1);
    },
  );
  // A mail that is tried again names the same ones as the first time, not those that have gone since.
  const place = started.findIndex(([id]) => id === dutyId);
  const references = (place < 0 ? started : started.slice(0, place))
    .filter(([, { status, maybeAccepted }]) => status === 'done' || status === 'running' || maybeAccepted)
    // The lead has not begun it.
    .filter(([, { messageId }]) => messageId !== '')
    .map(([, { messageId }]) => messageId);
  const inReplyTo = references.at(-1);
  return inReplyTo === undefined ? { references } : { inReplyTo, references };
}
