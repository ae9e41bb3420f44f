import type { Follower, LeadEntry } from './link-record.js';
import { currentVerdict, type IncidentRecord } from './record.js';

/*
 * One attack, many alerts, one conversation: an incident that is linked to a lead keeps its verdict, its clock and its
 * devices, and has the lead send its mails. It asks, the lead reports. Here is how their records are read; what each
 * has to say at this moment is decided in link-follower.ts and link-lead.ts.
 */

/** The lead through which the customer is told; undefined where the incident has its own conversation. */
export function leadOf({ link }: IncidentRecord): string | undefined {
  return link?.since == null ? undefined : link.leadId;
}

export function leadEntry({ leads = [] }: IncidentRecord, leadId: string): LeadEntry | undefined {
  return leads.find((entry) => entry.leadId === leadId);
}

export function isFollowing({ want, refusal }: Follower): boolean {
  return want === 'follow' && refusal === null;
}

/** The incidents that are linked to this one. */
export function followersOf({ followers = {} }: IncidentRecord): [incidentId: string, follower: Follower][] {
  return Object.entries(followers).filter(([, follower]) => isFollowing(follower));
}

export function withFollower(record: IncidentRecord, incidentId: string, change: (follower: Follower) => Follower) {
  const follower = record.followers?.[incidentId];
  if (follower === undefined) return record;
  return { ...record, followers: { ...record.followers, [incidentId]: change(follower) } };
}

/** Is anything still owed that is to be told through this incident? */
export function isOwedThrough(record: IncidentRecord): boolean {
  return followersOf(record).some(([, { owes }]) => owes);
}

/** The duty of this incident to send the mail of another. */
export function tellingDutyId(index: number): string {
  return `mail:secondary:l${index}`;
}

/** At level 4, without a call of its own: is the customer rung for the lead, or was rung while this one was linked to it? */
export function isRungByLead(record: IncidentRecord): boolean {
  if (record.phone !== null || currentVerdict(record)?.level !== 4) return false;
  const leadId = leadOf(record);
  const phone = leadId === undefined ? undefined : leadEntry(record, leadId)?.report?.phone;
  return record.rungByLead !== undefined || phone === 'ringing' || phone === 'rung';
}
