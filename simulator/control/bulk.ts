import { z } from 'zod';
import { alertChangesSchema, type Alert } from '../defender/alert.js';
import { mixedKinds, raisePlausibleAlert } from '../defender/plausible.js';
import type { Tenant } from '../defender/tenant.js';
import { Random } from '../random.js';
import { InvalidInput } from './input.js';

const mostAtOnce = 50_000;
const hourMs = 3_600_000;
const alertsPerDevice = 8;
const smallestFleet = 12;
/** As many of them as a service that looks at EDR alerts of Medium and above may hope for. */
const usualShareInScope = 0.25;

const moment = z.iso.datetime({ offset: true });

export const bulkSchema = z
  .strictObject({
    count: z.int().min(1).max(mostAtOnce),
    inScope: z.int().min(0).optional(),
    from: moment.optional(),
    until: moment.optional(),
    seed: z.int().default(1),
  })
  .transform(({ count, inScope, from, until, seed }) => {
    const untilMs = until === undefined ? Date.now() : Date.parse(until);
    return {
      count,
      inScope: inScope ?? Math.round(count * usualShareInScope),
      fromMs: from === undefined ? untilMs - hourMs : Date.parse(from),
      untilMs,
      seed,
    };
  })
  .superRefine(({ count, inScope, fromMs, untilMs }, context) => {
    if (inScope > count)
      context.addIssue({ code: 'custom', path: ['inScope'], message: 'No more can be in scope than there are.' });
    if (fromMs > untilMs)
      context.addIssue({ code: 'custom', path: ['from'], message: 'It begins after it has ended: see until.' });
  });

export interface RaisedInBulk {
  count: number;
  inScope: number;
  /** Oldest first. */
  alertIds: { inScope: string[]; outOfScope: string[] };
}

export const raiseInBulk = (tenant: Tenant, wanted: z.output<typeof bulkSchema>): RaisedInBulk => {
  const { count, inScope, fromMs, untilMs, seed } = wanted;
  const random = new Random(seed);
  const fleetSize = Math.max(smallestFleet, Math.ceil(count / alertsPerDevice));
  const stepMs = (untilMs - fromMs) / count;
  const alertIds: RaisedInBulk['alertIds'] = { inScope: [], outOfScope: [] };
  for (const [index, kind] of mixedKinds(count, inScope).entries()) {
    const atMs = fromMs + (index + random.fraction()) * stepMs;
    const { id } = raisePlausibleAlert(tenant, { kind, fleetSize, atMs, untilMs }, random);
    alertIds[kind === 'in-scope' ? 'inScope' : 'outOfScope'].push(id);
  }
  return { count, inScope, alertIds };
};

export const bulkUpdateSchema = z.strictObject({
  /** All of the tenant's, unless they are named. */
  alertIds: z.array(z.string()).optional(),
  changes: alertChangesSchema
    .refine(({ id }) => id === undefined, { path: ['id'], message: 'An alert keeps its id.' })
    .default({}),
});

export interface ChangedInBulk {
  count: number;
  alertIds: string[];
}

/** @throws InvalidInput that names every id which is none; then nothing has been changed */
export const changeInBulk = (tenant: Tenant, wanted: z.output<typeof bulkUpdateSchema>): ChangedInBulk => {
  const unknown: InvalidInput['errors'] = [];
  const alerts: Alert[] = [];
  for (const [index, id] of (wanted.alertIds ?? [...tenant.alerts.keys()]).entries()) {
    const alert = tenant.alerts.get(id);
    if (alert === undefined)
      unknown.push({ path: `alertIds.${index}`, message: 'There is no such alert in this tenant.' });
    else alerts.push(alert);
  }
  if (unknown.length > 0) throw new InvalidInput(unknown);
  for (const alert of alerts) tenant.changeAlert(alert, wanted.changes);
  return { count: alerts.length, alertIds: alerts.map(({ id }) => id) };
};
