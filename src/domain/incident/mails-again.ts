import type { Effect, IncidentRecord } from './record.js';

/* Mails that are sent anew: as further tries of what failed, or because they came back. */

/** Whatever comes of a further try is told anew. */
export function triedAgain(record: IncidentRecord, dutyIds: Iterable<string>): IncidentRecord['retries'] {
  return { ...record.retries, ...Object.fromEntries([...dutyIds].map((id) => [id, (record.retries[id] ?? 0) + 1])) };
}

/** The mails of these duties are to go anew. Of one that came back it is kept what became of it: more reports may come. */
export function withoutMails(
  record: IncidentRecord,
  dutyIds: ReadonlySet<string>,
): Pick<IncidentRecord, 'effects' | 'bouncedMails'> {
  const all = Object.entries(record.effects);
  const effects = Object.fromEntries(all.filter(([id]) => !dutyIds.has(id)));
  const bounced = all.flatMap(([dutyId, effect]) =>
    dutyIds.has(dutyId) && effect.status === 'bounced' ? [{ ...effect, dutyId }] : [],
  );
  return bounced.length === 0 ? { effects } : { effects, bouncedMails: [...(record.bouncedMails ?? []), ...bounced] };
}

/** Did a mail of this duty come back before? What is sent now is another mail. */
export function cameBackBefore(record: IncidentRecord, dutyId: string): boolean {
  return record.bouncedMails?.some((mail) => mail.dutyId === dutyId) === true;
}

/** The mail to the customer that a report is about: one that went out last for its duty, or was sent anew since. */
export function reportedMail(
  { effects, bouncedMails = [] }: IncidentRecord,
  messageId: string,
): { dutyId: string; effect: Effect; isSetAside: boolean } | undefined {
  for (const [dutyId, effect] of Object.entries(effects)) {
    if (dutyId.startsWith('mail:') && effect.messageId === messageId) return { dutyId, effect, isSetAside: false };
  }
  const old = bouncedMails.findLast((mail) => mail.messageId === messageId);
  return old === undefined ? undefined : { dutyId: old.dutyId, effect: old, isSetAside: true };
}
