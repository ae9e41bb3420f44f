import type { WorkflowExecutionDescription } from '@temporalio/client';
import { z } from 'zod';
import { rejectedSchema } from '../domain/feed/rejected.js';
import { feedStateSchema, type FeedState } from '../domain/feed/state.js';
import { feedSchema, feedView, feedWorkflowId, type FeedView } from '../domain/feed/view.js';
import { searchKeys } from '../domain/lists.js';
import { keyErrorIn } from '../domain/sealing.js';
import { toInstant } from '../domain/time.js';
import { newestRun } from '../temporal/executions.js';
import { readHeartbeat } from '../temporal/payloads.js';
import { rejectedQuery } from '../workflows/messages.js';
import { describe, reach } from './gateway.js';
import { equals, listRows, pageSchema } from './lists.js';
import { maySee } from './operators.js';
import { ask } from './reading.js';
import { policyOf, route, type ApiDeps, type Route } from './route.js';

const READ_AT_ONCE = 20;

/** Where the feed stands is in the heartbeat of the activity that polls; after a checkpoint for a moment in the memo. */
async function stateIn({ client }: ApiDeps, description: WorkflowExecutionDescription): Promise<FeedState | undefined> {
  const beaten = await readHeartbeat(client, description);
  return feedStateSchema.safeParse(beaten).data ?? feedStateSchema.safeParse(description.memo?.['feed']).data;
}

/** Of one whose keys are not there: whether it runs, and no more. */
async function readWithoutKey(deps: ApiDeps, customerId: string, error: unknown): Promise<FeedView> {
  if (keyErrorIn(error) === undefined) throw error;
  const newest = await reach(deps, () => newestRun(deps.client, feedWorkflowId(customerId)));
  return feedView(customerId, newest?.isOpen === true ? 'running' : 'stopped', undefined, toInstant(Date.now()));
}

export function readFeed(deps: ApiDeps, customerId: string): Promise<FeedView> {
  return readWholeFeed(deps, customerId).catch((error: unknown) => readWithoutKey(deps, customerId, error));
}

async function readWholeFeed(deps: ApiDeps, customerId: string): Promise<FeedView> {
  const now = toInstant(Date.now());
  const description = await describe(deps, feedWorkflowId(customerId));
  if (description === undefined) return feedView(customerId, 'not-started', undefined, now);
  const isRunning = description.status.name === 'RUNNING' || description.status.name === 'CONTINUED_AS_NEW';
  return feedView(customerId, isRunning ? 'running' : 'stopped', await stateIn(deps, description), now);
}

export async function readFeeds(deps: ApiDeps, customerIds: readonly string[]): Promise<FeedView[]> {
  const feeds: FeedView[] = [];
  for (let from = 0; from < customerIds.length; from += READ_AT_ONCE) {
    const some = customerIds.slice(from, from + READ_AT_ONCE);
    feeds.push(...(await Promise.all(some.map((id) => readFeed(deps, id)))));
  }
  return feeds;
}

const feedsSchema = z.object({ items: z.array(feedSchema) }).meta({ id: 'Feeds' });

const rejectedListSchema = z
  .object({
    items: z.array(
      rejectedSchema.extend({
        raw: z.string().nullable().meta({ description: 'As Defender sent it; null while no worker can be asked.' }),
      }),
    ),
    nextPageToken: z.string().optional(),
  })
  .meta({ id: 'RejectedAlerts' });

const rejectedPageSchema = z.strictObject(pageSchema);

export const feedRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/feeds',
    summary: "The customers' feeds: how far each has read its tenant's alerts, and what keeps it",
    access: 'watch',
    answers: { 200: { description: 'One for each customer of the file.', schema: feedsSchema } },
    async handle({ deps, operator }) {
      const ids = deps.policies.customerIds().filter((id) => maySee(operator, id));
      return { status: 200, body: { items: await readFeeds(deps, ids) } };
    },
  }),
  route({
    method: 'get',
    path: '/v1/feeds/:customerId/rejected',
    summary: 'Alerts that a feed could not take to an incident: kept whole, and tried again',
    access: 'watch',
    query: rejectedPageSchema,
    answers: { 200: { description: 'One page, newest first.', schema: rejectedListSchema } },
    async handle({ deps, operator, params, query }) {
      const customerId = params['customerId'] ?? '';
      policyOf(deps, operator, customerId);
      const filters = [...equals(searchKeys.customerId, customerId), "ExecutionStatus = 'Running'"];
      const page = await listRows(deps, 'rejectedAlert', filters, query.limit, query.pageToken);
      const readable = page.rows.flatMap((row) => {
        const shown = rejectedSchema.safeParse(row.memo['rejected']).data;
        return shown === undefined ? [] : [{ row, shown }];
      });
      const items = await Promise.all(
        readable.map(async ({ row, shown }) => {
          // Who runs the service sees what is wrong with an alert, not what it says.
          if (operator.role === 'engineer') return { ...shown, raw: null };
          const handle = deps.client.workflow.getHandle(row.workflowId, row.runId);
          const asked = await ask(deps, () => handle.query(rejectedQuery));
          return { ...shown, raw: asked.is === 'answered' ? asked.view.raw : null };
        }),
      );
      const { nextPageToken } = page;
      return { status: 200, body: { items, ...(nextPageToken === undefined ? {} : { nextPageToken }) } };
    },
  }),
];
