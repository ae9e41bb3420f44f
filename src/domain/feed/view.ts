import { z } from 'zod';
import { SECOND_MS, type Instant } from '../time.js';
import { lagMs } from './news.js';
import { refusalWords } from './refusals.js';
import { feedCountsSchema, type FeedState } from './state.js';

const time = z.string().nullable();

/** A feed as `GET /v1/feeds` shows it. */
export const feedSchema = z
  .object({
    customerId: z.string(),
    state: z.enum(['running', 'not-started', 'stopped']).meta({
      description:
        'stopped: its workflow has ended, or was stopped from outside; a worker starts it again within a minute.',
    }),
    lastSuccessAt: time,
    lagSeconds: z.number().nullable().meta({
      description: 'How far what we know of the tenant lies behind: since the last whole list, or of one under way.',
    }),
    watermark: time.meta({ description: 'Everything that Defender changed before has been taken.' }),
    backlog: z.boolean().meta({ description: 'A list of several pages is under way.' }),
    alerts: feedCountsSchema.meta({
      description: 'Versions of alerts since the feed first started; `seen` is the sum of the others.',
    }),
    refused: z.array(z.object({ alertId: z.string(), createdAt: z.string(), at: z.string() })).meta({
      description: 'The newest of those from before what is remembered of closed incidents: not opened anew.',
    }),
    error: z
      .object({
        code: z.string(),
        message: z.string(),
        meaning: z.object({ en: z.string(), ja: z.string() }).meta({
          description: 'What the code means, and what to do about it.',
        }),
        since: z.string(),
        at: z.string(),
        failures: z.int(),
      })
      .nullable(),
  })
  .meta({ id: 'Feed' });
export type FeedView = z.infer<typeof feedSchema>;

export function feedView(
  customerId: string,
  how: FeedView['state'],
  state: FeedState | undefined,
  now: Instant,
): FeedView {
  const trouble = state?.trouble ?? null;
  return {
    customerId,
    state: how,
    lastSuccessAt: state?.lastSuccessAt ?? null,
    lagSeconds: state === undefined ? null : Math.round(lagMs(state, now) / SECOND_MS),
    watermark: state?.watermark ?? null,
    backlog: state?.pass != null,
    alerts: state?.counts ?? { seen: 0, opened: 0, updated: 0, unchanged: 0, refused: 0, rejected: 0 },
    refused: state?.refused ?? [],
    error: trouble === null ? null : { ...trouble, meaning: refusalWords(trouble.code) },
  };
}

export function feedWorkflowId(customerId: string): string {
  return `feed:${customerId}`;
}
