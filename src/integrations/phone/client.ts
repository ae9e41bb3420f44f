import twilio from 'twilio';
import { z } from 'zod';
import { SECOND_MS, toMs, type Instant } from '../../domain/time.js';
import { PhoneError } from './errors.js';
import { createHttpClient } from './http-client.js';

export { PhoneError } from './errors.js';

/** Twilio's, e.g. `queued`, `ringing`, `in-progress`, `completed`, `busy`, `failed`, `no-answer`, `canceled`. */
export type CallStatus = string;

export interface PhoneCall {
  sid: string;
  status: CallStatus;
}

export interface PhoneClientOptions {
  accountSid: string;
  authToken: string;
  /** Our number, E.164, e.g. `+815012345678`. */
  from: string;
  /** Default: Twilio's. */
  apiBase?: string;
  /** For one request. */
  timeoutMs: number;
}

/** Outgoing calls over Twilio. Every method throws PhoneError. Source: twilio.com, "Call resource". */
export interface PhoneClient {
  /**
   * Rings `to` (E.164) for `ringSeconds`; an answered call runs `twiml` (at most 4,000 characters). News of the call
   * go to `statusCallbackUrl`. Machines are not detected: a voicemail presses no key.
   */
  placeCall(call: {
    to: string;
    twiml: string;
    statusCallbackUrl: string;
    ringSeconds: number;
  }): Promise<{ sid: string }>;
  /** Our newest call to `to` created at or after `placedAfter`: what a cut connection may have left behind. */
  findCall(wanted: { to: string; placedAfter: Instant }): Promise<PhoneCall | undefined>;
  getCall(sid: string): Promise<PhoneCall>;
  /** Ends the call in whatever state it is; one that has ended already is no error. */
  hangUp(sid: string): Promise<void>;
}

const callSchema = z.object({ sid: z.string().min(1), status: z.string() });
const listedCallSchema = z.object({
  sid: z.string().min(1),
  status: z.string(),
  direction: z.string(),
  dateCreated: z.date(),
});

/** How many of the newest calls to one number are looked through. */
const LOOK_BACK_CALLS = 20;

/** "Call is not in-progress": it has ended meanwhile. Source: twilio.com, error 21220. */
const ALREADY_ENDED = '21220';

export function createPhoneClient({
  accountSid,
  authToken,
  from,
  apiBase,
  timeoutMs,
}: PhoneClientOptions): PhoneClient {
  const client = twilio(accountSid, authToken, { httpClient: createHttpClient({ timeoutMs }) });
  if (apiBase !== undefined) client.api.baseUrl = apiBase.replace(/\/+$/, '');

  async function end(sid: string, status: 'canceled' | 'completed'): Promise<PhoneCall> {
    return answer(callSchema, client.calls(sid).update({ status }), true);
  }

  async function getCall(sid: string): Promise<PhoneCall> {
    return answer(callSchema, client.calls(sid).fetch(), false);
  }

  return {
    getCall,

    async placeCall({ to, twiml, statusCallbackUrl, ringSeconds }) {
      const placed = client.calls.create({
        to,
        from,
        twiml,
        timeout: ringSeconds,
        statusCallback: statusCallbackUrl,
        statusCallbackMethod: 'POST',
        statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
      });
      const { sid } = await answer(callSchema, placed, true);
      return { sid };
    },

    async findCall({ to, placedAfter }) {
      // Not by start time: a call that still waits in Twilio's queue has none.
      const listed = await answer(
        z.array(listedCallSchema),
        client.calls.list({ to, from, limit: LOOK_BACK_CALLS }),
        false,
      );
      // Twilio's times have no fractions of a second.
      const sinceMs = Math.floor(toMs(placedAfter) / SECOND_MS) * SECOND_MS;
      const [newest] = listed
        .filter(({ direction, dateCreated }) => direction.startsWith('outbound') && dateCreated.getTime() >= sinceMs)
        .sort((a, b) => b.dateCreated.getTime() - a.dateCreated.getTime());
      return newest === undefined ? undefined : { sid: newest.sid, status: newest.status };
    },

    async hangUp(sid) {
      try {
        const { status } = await getCall(sid);
        if (status === 'queued' || status === 'ringing') {
          // Answered in between, it goes on: then it has to be completed.
          const { status: now } = await end(sid, 'canceled');
          if (now === 'in-progress') await end(sid, 'completed');
        } else if (status === 'in-progress') {
          await end(sid, 'completed');
        }
      } catch (error) {
        if (!(error instanceof PhoneError && error.code === ALREADY_ENDED)) throw error;
      }
    },
  };
}

/** What the npm client made of an answer, checked; `changes`: the request was to do something. */
async function answer<T>(schema: z.ZodType<T>, work: Promise<unknown>, changes: boolean): Promise<T> {
  try {
    return schema.parse(await work);
  } catch (error) {
    if (error instanceof PhoneError) throw error;
    const message = 'Twilio answered with something else than expected';
    throw new PhoneError(message, { kind: 'transient', mayHaveWorked: changes });
  }
}
