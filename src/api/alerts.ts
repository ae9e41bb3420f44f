import { createHash } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { isOlder, projectAlert, type AlertNews } from '../domain/alert.js';
import { defenderAlertSchema, type DefenderAlert } from '../domain/defender.js';
import { advance } from '../domain/incident/advance.js';
import { evolve } from '../domain/incident/evolve.js';
import { openRecord } from '../domain/incident/opening.js';
import { incidentIdOf, type IncidentRecord } from '../domain/incident/record.js';
import { stageOf, stages, type Stage } from '../domain/incident/stage.js';
import type { Policy } from '../domain/policy.js';
import { toInstant } from '../domain/time.js';
import { alertUpdatedSignal } from '../workflows/messages.js';
import { reach, startIncident, type Gateway } from './gateway.js';
import { knownIncident, memoSummary, stoppedProblem, type Known } from './known-incidents.js';
import { Problem } from './problem.js';
import { policyOf, route, type Answer } from './route.js';

const postedSchema = z
  .object({ incidentId: z.string(), created: z.boolean(), stage: z.enum(stages) })
  .meta({ id: 'PostedAlert' });

/** Between a look and a message the incident may end or begin; a few looks settle it. */
const MAX_LOOKS = 5;

function refuseForeignTenant(alert: DefenderAlert, policy: Policy): void {
  const { tenantId } = policy.customer.defender;
  if (alert.aadTenantId === undefined || alert.aadTenantId.toLowerCase() === tenantId) return;
  throw new Problem('tenant-mismatch', "The alert belongs to another tenant than the customer's.", [
    { path: 'aadTenantId', message: "is not the customer's tenant" },
  ]);
}

function newsOf(alert: DefenderAlert): AlertNews {
  const projected = projectAlert(alert);
  return { alert: projected, fingerprint: createHash('sha256').update(JSON.stringify(projected)).digest('hex') };
}

function openedRecord(customerId: string, policy: Policy, news: AlertNews): IncidentRecord {
  const now = toInstant(Date.now());
  const opened = openRecord({ customerId, receivedAt: now, ...news });
  return advance(evolve(opened, { type: 'policy-read', policy }, now), now);
}

/** Passes newer content on to an incident that is there. */
async function passOn(gateway: Gateway, id: string, known: Known, news: AlertNews): Promise<Stage | 'look-again'> {
  switch (known.state) {
    case 'running': {
      const { memo } = known.description;
      const stage = memoSummary(memo)?.stage ?? 'awaiting-triage';
      if (memo?.['fingerprint'] === news.fingerprint) return stage;
      try {
        await reach(gateway, () => gateway.client.workflow.getHandle(id).signal(alertUpdatedSignal, news));
        return stage;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'look-again';
        throw error;
      }
    }
    case 'ended': {
      const { record } = known;
      if (record.fingerprint === news.fingerprint || isOlder(news.alert, record.alert)) return stageOf(record);
      const started = await startIncident(gateway, record, { news, again: true });
      if (started === 'exists') return 'look-again';
      const now = toInstant(Date.now());
      return stageOf(advance(evolve(record, { type: 'alert-updated', ...news }, now), now));
    }
    case 'stopped': {
      const { memo } = known.description;
      // Newer content has nowhere to go: whoever delivers it must keep it, and try again.
      if (memo?.['fingerprint'] !== news.fingerprint) throw stoppedProblem();
      return memoSummary(memo)?.stage ?? 'awaiting-triage';
    }
  }
}

async function deliver(gateway: Gateway, customerId: string, policy: Policy, news: AlertNews): Promise<Answer> {
  const id = incidentIdOf(customerId, news.alert.alertId);
  const record = openedRecord(customerId, policy, news);
  if ((await startIncident(gateway, record, { again: false })) === 'started') {
    return { status: 201, body: { incidentId: id, created: true, stage: stageOf(record) } };
  }
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    const known = await knownIncident(gateway, id);
    const stage = known === undefined ? 'look-again' : await passOn(gateway, id, known, news);
    if (stage !== 'look-again') return { status: 200, body: { incidentId: id, created: false, stage } };
  }
  throw new Problem('worker-unavailable', 'The incident changes faster than it can be told; send the alert again.');
}

export const alertRoutes = [
  route({
    method: 'post',
    path: '/v1/customers/:customerId/alerts',
    summary: 'Hand in one Defender alert, as GET /api/alerts?$expand=evidence returns it',
    access: 'feed',
    body: defenderAlertSchema,
    answers: {
      201: { description: 'A new incident; out of scope too, then it closes with its reason.', schema: postedSchema },
      200: { description: 'Known already; newer content is passed on.', schema: postedSchema },
    },
    async handle({ deps, operator, params, body }) {
      const customerId = params['customerId'] ?? '';
      const policy = policyOf(deps, operator, customerId);
      refuseForeignTenant(body, policy);
      return deliver(deps, customerId, policy, newsOf(body));
    },
  }),
];
