/*
 * What must happen when the world outside fails: for every endpoint and every way to fail, while that goes on and when
 * it is over. The matrix drives each cell through the whole service.
 */

export const HTTP_ENDPOINTS = [
  'entra: token',
  'defender: machine',
  'defender: list actions',
  'defender: isolate',
  'defender: unisolate',
  'defender: read action',
  'defender: cancel',
  'twilio: create call',
  'twilio: read call',
  'twilio: hang up',
] as const;
export type HttpEndpoint = (typeof HTTP_ENDPOINTS)[number];
export type System = 'entra' | 'defender' | 'twilio';

export function systemOf(endpoint: HttpEndpoint): System {
  if (endpoint.startsWith('entra')) return 'entra';
  return endpoint.startsWith('defender') ? 'defender' : 'twilio';
}

/** Longer than the clients of the matrix wait. */
export const TIMEOUT_MS = 1_500;
const TOO_LATE_MS = 4_000;

export type Fault = Record<string, unknown>;

/** Every way in which an HTTP server fails, as the simulator is told to. `refused` needs a port and has its own test. */
export const HTTP_KINDS = {
  '400': { status: 400 },
  '401': { status: 401 },
  '403': { status: 403 },
  '404': { status: 404 },
  '409': { status: 409 },
  'already active': { status: 400, code: 'ActiveRequestAlreadyExists' },
  '429': { status: 429, retryAfterSeconds: 1 },
  '500': { status: 500 },
  '503': { status: 503 },
  'reset before the answer': {},
  'dropped after the work': { dropAfterAccept: true },
  'slower than the timeout': { delayMs: TOO_LATE_MS },
  'a sign-in page for the work': { status: 200, garble: 'html' },
  'HTML for the answer': { garble: 'html' },
  'an empty answer': { garble: 'empty' },
  'half an answer': { garble: 'truncated' },
  '50 MB': { garble: 'huge' },
} as const satisfies Record<string, Fault>;
export type HttpKind = keyof typeof HTTP_KINDS;
export const httpKinds: readonly HttpKind[] = Object.keys(HTTP_KINDS).filter(
  (name): name is HttpKind => name in HTTP_KINDS,
);

export type Outcome =
  /** It works all the same while the fault goes on: nobody needs to know. */
  | { is: 'overcome' }
  /** While it goes on the incident says so (`attention`, the queue, once on the timeline); afterwards it goes on by itself. */
  | { is: 'recovers'; tells: string }
  /** Refused for good: the duty fails, the SOC gets a mail, and after the mending an analyst has it tried again. */
  | { is: 'told'; tells: string; again: 'same verdict' | 'new order' };

const overcome: Outcome = { is: 'overcome' };
const recovers = (tells: string): Outcome => ({ is: 'recovers', tells });
const sameVerdict = (tells: string): Outcome => ({ is: 'told', tells, again: 'same verdict' });
const newOrder = (tells: string): Outcome => ({ is: 'told', tells, again: 'new order' });

function row(otherwise: Outcome, exceptions: Partial<Record<HttpKind, Outcome>> = {}): Record<HttpKind, Outcome> {
  const of = (kind: HttpKind) => exceptions[kind] ?? otherwise;
  return {
    '400': of('400'),
    '401': of('401'),
    '403': of('403'),
    '404': of('404'),
    '409': of('409'),
    'already active': of('already active'),
    '429': of('429'),
    '500': of('500'),
    '503': of('503'),
    'reset before the answer': of('reset before the answer'),
    'dropped after the work': of('dropped after the work'),
    'slower than the timeout': of('slower than the timeout'),
    'a sign-in page for the work': of('a sign-in page for the work'),
    'HTML for the answer': of('HTML for the answer'),
    'an empty answer': of('an empty answer'),
    'half an answer': of('half an answer'),
    '50 MB': of('50 MB'),
  };
}

/** The request was done, only its answer is no answer: a look finds what it did, and nothing is asked for twice. */
const workDone: Partial<Record<HttpKind, Outcome>> = {
  'dropped after the work': overcome,
  'slower than the timeout': overcome,
  'HTML for the answer': overcome,
  'an empty answer': overcome,
  'half an answer': overcome,
  '50 MB': overcome,
};

function refused(again: (tells: string) => Outcome): Partial<Record<HttpKind, Outcome>> {
  return {
    '400': again('rejected-by-defender'),
    '401': again('defender-forbidden'),
    '403': again('defender-forbidden'),
    '404': again('unknown-device'),
    '409': again('rejected-by-defender'),
  };
}

export const HTTP_TABLE: Record<HttpEndpoint, Record<HttpKind, Outcome>> = {
  // The look-up is the first to need a token; without it nothing else is asked for.
  'entra: token': row(recovers('device-look-up-failing')),
  // A device that the alert names is isolated by its id also where Defender does not know more of it.
  'defender: machine': row(recovers('device-look-up-failing'), { '404': overcome }),
  'defender: list actions': row(recovers('defender-request-failing'), refused(sameVerdict)),
  'defender: isolate': row(recovers('defender-request-failing'), { ...refused(sameVerdict), ...workDone }),
  'defender: unisolate': row(recovers('defender-request-failing'), { ...refused(newOrder), ...workDone }),
  // Whatever Defender says: the action is under way, and only its end tells how the device stands.
  'defender: read action': row(recovers('defender-state-unknown')),
  // A refusal means that it has ended; one that has not is cancelled again.
  'defender: cancel': row(recovers('defender-cancel-failing'), workDone),
  'twilio: create call': row(recovers('phone-failing'), {
    '400': sameVerdict('phone-exhausted'),
    '401': sameVerdict('phone-exhausted'),
    '403': sameVerdict('phone-exhausted'),
    '404': sameVerdict('phone-exhausted'),
    '409': sameVerdict('phone-exhausted'),
    'already active': sameVerdict('phone-exhausted'),
    ...workDone,
  }),
  // The calls were called off: nothing is owed any more, and the next incident's calls must not wait.
  'twilio: read call': row(overcome),
  'twilio: hang up': row(overcome),
};

/** Ways in which a mail server fails for one recipient. `times` where it goes on until it is taken back is left out. */
export const MAIL_TABLE: Record<string, { fault: Fault; must: Outcome }> = {
  'defers the recipient': { fault: { stage: 'rcpt', status: 450 }, must: recovers('mail-delayed') },
  'refuses the recipient': { fault: { stage: 'rcpt', status: 550 }, must: sameVerdict('mail-rejected') },
  'defers the mail': { fault: { status: 451 }, must: recovers('mail-delayed') },
  'refuses the mail': { fault: { status: 554 }, must: sameVerdict('mail-rejected') },
  'hangs at the recipient': { fault: { stage: 'rcpt', delayMs: TOO_LATE_MS }, must: recovers('mail-delayed') },
  'resets the connection at the recipient': { fault: { stage: 'rcpt' }, must: recovers('mail-delayed') },
  'cuts the connection after the mail, twice': { fault: { dropAfterAccept: true, times: 2 }, must: overcome },
  'cuts the connection before it has the mail, twice': { fault: { times: 2 }, must: overcome },
  'takes the mail, and hangs, once': { fault: { delayMs: TOO_LATE_MS, times: 1 }, must: overcome },
};

/** Ways in which it fails for everybody. */
export const MAIL_SERVER_TABLE: Record<string, { fault: Fault; must: Outcome }> = {
  'is not there': { fault: { refuseMs: 60_000 }, must: recovers('mail-delayed') },
  'turns us away': { fault: { stage: 'connect', status: 421 }, must: recovers('mail-delayed') },
  'resets the connection': { fault: { stage: 'connect' }, must: recovers('mail-delayed') },
  'never greets': { fault: { stage: 'connect', delayMs: TOO_LATE_MS }, must: recovers('mail-delayed') },
  'refuses our password': { fault: { stage: 'auth', status: 535 }, must: recovers('mail-delayed') },
  'refuses our address': { fault: { stage: 'mail', status: 550 }, must: recovers('mail-delayed') },
};
