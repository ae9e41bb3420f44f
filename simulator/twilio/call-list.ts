import { z } from 'zod';
import { json, type Reply } from '../http/reply.js';
import type { HttpRequest } from '../http/request.js';
import { callResource, callStatuses, type Call } from './call.js';
import { TwilioRefusal } from './errors.js';

const dayMs = 24 * 60 * 60 * 1000;

const querySchema = z.object({
  To: z.string().optional(),
  From: z.string().optional(),
  Status: z.enum(callStatuses).optional(),
  PageSize: z.coerce.number().int().min(1).max(1000).default(50),
  Page: z.coerce.number().int().min(0).default(0),
});

/** `StartTime>` takes in its own moment, and a date without a time is the whole day, as with Twilio. */
const startsWithin = (call: Call, query: URLSearchParams): boolean => {
  const bound = (name: string, ofDay: 'first' | 'last'): number | undefined => {
    const given = query.get(name);
    if (given === null) return undefined;
    const ms = Date.parse(given);
    if (Number.isNaN(ms)) throw new TwilioRefusal(400, 20001, `Invalid parameter ${name}: ${given}`);
    return ofDay === 'last' && !given.includes('T') ? ms + dayMs - 1 : ms;
  };
  const from = bound('StartTime>', 'first') ?? bound('StartTime', 'first');
  const until = bound('StartTime<', 'last') ?? bound('StartTime', 'last');
  if (from === undefined && until === undefined) return true;
  const startedMs = call.startedAt?.getTime();
  return startedMs !== undefined && startedMs >= (from ?? -Infinity) && startedMs <= (until ?? Infinity);
};

/** Newest first. */
export const answerCallList = (calls: readonly Call[], request: HttpRequest): Reply => {
  const result = querySchema.safeParse(Object.fromEntries(request.query));
  if (!result.success) {
    const issue = result.error.issues[0];
    throw new TwilioRefusal(400, 20001, `Invalid parameter ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { To, From, Status, PageSize, Page } = result.data;
  const matching = calls
    .filter(
      (call) =>
        (To === undefined || call.params.To === To) &&
        (From === undefined || call.params.From === From) &&
        (Status === undefined || call.status === Status) &&
        startsWithin(call, request.query),
    )
    .toReversed();
  const start = Page * PageSize;
  const page = matching.slice(start, start + PageSize);
  const uriOf = (number: number): string => {
    const query = new URLSearchParams(request.query);
    query.set('PageSize', String(PageSize));
    query.set('Page', String(number));
    return `${request.path}?${query.toString()}`;
  };
  return json(200, {
    calls: page.map(callResource),
    first_page_uri: uriOf(0),
    next_page_uri: matching.length > start + PageSize ? uriOf(Page + 1) : null,
    previous_page_uri: Page > 0 ? uriOf(Page - 1) : null,
    uri: uriOf(Page),
    page: Page,
    page_size: PageSize,
    start,
    end: Math.max(start, start + page.length - 1),
  });
};
