import type { ReleaseBody } from '../domain/commands.js';
import { judgeTypedMail } from '../domain/incident/release-offers.js';
import type { IncidentView } from '../domain/incident/view.js';
import { readIncident, type ShownIncident } from './known-incidents.js';
import { Problem } from './problem.js';
import type { ApiDeps } from './route.js';

/** The incident as somebody must know it who looks for the customer's mails. One that cannot be asked for good has none. */
async function whole(deps: ApiDeps, id: string): Promise<ShownIncident> {
  const incident = await readIncident(deps, id);
  const isForGood = incident.attention.some((reason) => reason === 'workflow-stopped' || reason === 'workflow-stuck');
  if (incident.partial === undefined || isForGood) return incident;
  throw new Problem('worker-unavailable', `No worker can be asked for the customer's mails on ${id}.`);
}

/** The customer's mails in the conversations of these incidents: of a linked one, that is its lead's. */
export async function mailsOnRecord(deps: ApiDeps, ids: readonly string[]): Promise<IncidentView['customerMails']> {
  const incidents = await Promise.all(ids.map((id) => whole(deps, id)));
  const leads = new Set(incidents.flatMap(({ lead }) => lead ?? []).filter((id) => !ids.includes(id)));
  const further = await Promise.all([...leads].map((id) => whole(deps, id)));
  return [...incidents, ...further].flatMap(({ customerMails }) => customerMails);
}

/** The same words as a mail's that needs a call back need one too. */
export function checkTypedMail(
  { policies }: ApiDeps,
  customerId: string,
  mails: IncidentView['customerMails'],
  instruction: ReleaseBody['instruction'],
): void {
  const contacts = policies.find(customerId)?.customer.contacts ?? [];
  const offers = mails.filter(({ isOffered }) => isOffered);
  const fault = judgeTypedMail(offers, contacts, instruction);
  if (fault !== undefined) throw Problem.of(fault);
}
