import { z } from 'zod';
import { defenderAlertSchema } from '../domain/defender.js';
import { stages } from '../domain/incident/stage.js';
import { deliver, isOfTenant, newsOf, type Delivered } from '../temporal/delivery.js';
import { exclusionFinder } from '../temporal/exclusions.js';
import { commandDeadline, reach } from './gateway.js';
import { stoppedProblem } from './known-incidents.js';
import { Problem } from './problem.js';
import { policyOf, route, type Answer } from './route.js';

const postedSchema = z
  .object({ incidentId: z.string(), created: z.boolean(), stage: z.enum(stages) })
  .meta({ id: 'PostedAlert' });

function answerOf(delivered: Delivered): Answer {
  switch (delivered.is) {
    case 'opened':
    case 'updated':
    case 'unchanged': {
      const { is, incidentId, stage } = delivered;
      const created = is === 'opened';
      return { status: created ? 201 : 200, body: { incidentId, created, stage } };
    }
    case 'stopped':
      // Newer content has nowhere to go: whoever delivers it must keep it, and try again.
      throw stoppedProblem();
    case 'unsettled':
      throw new Problem('worker-unavailable', 'The incident changes faster than it can be told; send the alert again.');
  }
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
      if (!isOfTenant(body, policy)) {
        throw new Problem('tenant-mismatch', "The alert belongs to another tenant than the customer's.", [
          { path: 'aadTenantId', message: "is not the customer's tenant" },
        ]);
      }
      const { deadlineMs } = commandDeadline();
      const delivery = { ...deps, findExclusion: exclusionFinder(deps.client) };
      return answerOf(await reach(deps, () => deliver(delivery, customerId, policy, newsOf(body)), deadlineMs));
    },
  }),
];
