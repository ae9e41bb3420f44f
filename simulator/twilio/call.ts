import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { rfc2822 } from '../clock.js';

export const callStatuses = [
  'queued',
  'ringing',
  'in-progress',
  'completed',
  'busy',
  'failed',
  'no-answer',
  'canceled',
] as const;
export type CallStatus = (typeof callStatuses)[number];

const callEvents = ['initiated', 'ringing', 'answered', 'completed'] as const;
export type CallEvent = (typeof callEvents)[number];

const method = z.enum(['GET', 'POST']);

/** The parameters of POST Calls.json that are understood; the rest is ignored. */
export const callParamsSchema = z.object({
  To: z.string(),
  From: z.string(),
  Url: z.string().optional(),
  Method: method.default('POST'),
  Twiml: z.string().optional(),
  StatusCallback: z.string().optional(),
  StatusCallbackMethod: method.default('POST'),
  StatusCallbackEvent: z.array(z.enum(callEvents)).default(['completed']),
  Timeout: z.coerce.number().min(0).max(600).default(60),
  MachineDetection: z.enum(['Enable', 'DetectMessageEnd']).optional(),
});
export type CallParams = z.infer<typeof callParamsSchema>;

export interface Call {
  sid: string;
  accountSid: string;
  params: CallParams;
  status: CallStatus;
  createdAt: Date;
  updatedAt: Date;
  startedAt: Date | null;
  answeredAt: Date | null;
  endedAt: Date | null;
  /** Who really took it, in Twilio's words; a caller is told only where machine detection was asked for. */
  answeredBy: 'human' | 'machine_start' | 'machine_end_beep' | null;
  digits: string | null;
  said: string[];
  /** What Twilio's debugger would show. */
  problems: string[];
}

export const newCall = (accountSid: string, params: CallParams): Call => {
  const now = new Date();
  return {
    sid: `CA${randomBytes(16).toString('hex')}`,
    accountSid,
    params,
    status: 'queued',
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    answeredAt: null,
    endedAt: null,
    answeredBy: null,
    digits: null,
    said: [],
    problems: [],
  };
};

export const knownAnsweredBy = (call: Call): string | null =>
  call.params.MachineDetection === undefined ? null : call.answeredBy;

export const durationSeconds = (call: Call): number =>
  call.answeredAt === null || call.endedAt === null
    ? 0
    : Math.ceil((call.endedAt.getTime() - call.answeredAt.getTime()) / 1000);

const time = (date: Date | null): string | null => (date === null ? null : rfc2822(date));

/** The call resource as Twilio returns it. */
export const callResource = (call: Call): Record<string, unknown> => {
  const { To, From } = call.params;
  const uri = `/2010-04-01/Accounts/${call.accountSid}/Calls/${call.sid}`;
  return {
    sid: call.sid,
    date_created: time(call.createdAt),
    date_updated: time(call.updatedAt),
    parent_call_sid: null,
    account_sid: call.accountSid,
    to: To,
    to_formatted: To,
    from: From,
    from_formatted: From,
    phone_number_sid: null,
    status: call.status,
    start_time: time(call.startedAt),
    end_time: time(call.endedAt),
    duration: call.endedAt === null ? null : String(durationSeconds(call)),
    price: null,
    price_unit: 'USD',
    direction: 'outbound-api',
    answered_by: knownAnsweredBy(call),
    annotation: null,
    api_version: '2010-04-01',
    forwarded_from: null,
    group_sid: null,
    caller_name: null,
    queue_time: '0',
    trunk_sid: null,
    uri: `${uri}.json`,
    subresource_uris: {
      events: `${uri}/Events.json`,
      notifications: `${uri}/Notifications.json`,
      recordings: `${uri}/Recordings.json`,
    },
  };
};

/** What every webhook of a call carries. */
export const callParameters = (call: Call): Record<string, string> => ({
  AccountSid: call.accountSid,
  ApiVersion: '2010-04-01',
  CallSid: call.sid,
  CallStatus: call.status,
  Called: call.params.To,
  Caller: call.params.From,
  Direction: 'outbound-api',
  From: call.params.From,
  To: call.params.To,
  ...(knownAnsweredBy(call) === null ? {} : { AnsweredBy: knownAnsweredBy(call) ?? '' }),
});
