import { z } from 'zod';
import { customerIdSchema } from '../domain/customer.js';
import { operatorIdSchema } from '../operators.js';
import { auditEntrySchema } from './audit-log.js';
import { maySee } from './operators.js';
import { Problem } from './problem.js';
import { route, type Route } from './route.js';

const querySchema = z.strictObject({
  customer: customerIdSchema.optional(),
  operator: operatorIdSchema.optional(),
  outcome: auditEntrySchema.shape.outcome.optional(),
  limit: z.coerce.number().int('must be a whole number').min(1).max(1_000).default(100),
  pageToken: z.coerce
    .number('is not one that this list has given')
    .int('is not one that this list has given')
    .min(1)
    .optional(),
});

const pageSchema = z
  .object({ items: z.array(auditEntrySchema), nextPageToken: z.string().optional() })
  .meta({ id: 'AuditPage' });

export const auditRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/audit',
    summary: 'Every command, accepted or refused, the newest first',
    access: 'prove',
    query: querySchema,
    answers: { 200: { description: 'One page.', schema: pageSchema } },
    handle({ deps, operator, query }) {
      const page = deps.audit.read(
        (entry) =>
          // Of no customer is what concerns all of them, or nobody: for those who may see all.
          (entry.customerId === null ? operator.customers === '*' : maySee(operator, entry.customerId)) &&
          (query.customer === undefined || entry.customerId === query.customer) &&
          (query.operator === undefined || entry.operator === query.operator) &&
          (query.outcome === undefined || entry.outcome === query.outcome),
        query.limit,
        query.pageToken,
      );
      if (page === undefined) {
        throw new Problem('not-found', 'Commands are written to the log alone: AUDIT_FILE is not set.');
      }
      const { items, before } = page;
      const body = { items, ...(before === undefined ? {} : { nextPageToken: String(before) }) };
      return Promise.resolve({ status: 200, body });
    },
  }),
];
