import type { Moment } from '../../simulator/index.js';
import type { Cast } from './kill-cast.js';

/*
 * The steps of the life that is lived under kills. Each is reached by observation: what the API answered, what the world
 * outside has seen. Nothing here waits for time to pass.
 */

/** What a caller has to do before the rest goes by itself. */
export type Segment = 'alert' | 'verdict' | 'escalation' | 'release' | 'close';

export type Reached =
  /** The life itself has seen it, by the API. */
  | { by: 'sight' }
  /** The segment's command has left the caller; whether anybody has read it is open. */
  | { by: 'command' }
  /** Something reaches the world outside, and is held there. */
  | { by: 'moment'; is: (moment: Moment, cast: Cast) => boolean };

export interface Step {
  name: string;
  segment: Segment;
  reached: Reached;
}

type RequestMoment = Extract<Moment, { kind: 'request' }>;
type CallMoment = Extract<Moment, { kind: 'call' }>;

const sight: Reached = { by: 'sight' };
const command: Reached = { by: 'command' };

function request(
  phase: RequestMoment['phase'],
  method: string,
  fits: (moment: RequestMoment, cast: Cast) => boolean,
): Reached {
  return {
    by: 'moment',
    is: (moment, cast) =>
      moment.kind === 'request' && moment.phase === phase && moment.method === method && fits(moment, cast),
  };
}

function machine(phase: RequestMoment['phase'], verb: 'isolate' | 'unisolate'): Reached {
  return request(phase, 'POST', ({ path }, { machineIds }) => path.endsWith(`/machines/${machineIds[0]}/${verb}`));
}

/** `done`, because only then the tenant is known, and an action's id tells nobody whose it is. */
const action = request('done', 'GET', ({ path }) => /\/machineactions\/[^/]+$/.test(path));

function lookUp(device: 0 | 1): Reached {
  return request('arrived', 'GET', ({ path }, { machineIds }) => path.endsWith(`/machines/${machineIds[device]}`));
}

function mail(phase: RequestMoment['phase'], kind: string): Reached {
  return request(phase, 'DATA', ({ body }) => body.includes(`X-Mimamori-Kind: ${kind}\r\n`));
}

function dial(phase: RequestMoment['phase']): Reached {
  return request(phase, 'POST', ({ target, body }, { phones }) => {
    return target === 'twilio' && new URLSearchParams(body).get('To') === phones[0];
  });
}

function call(phase: CallMoment['phase'], contact: 0 | 1): Reached {
  return {
    by: 'moment',
    is: (moment, { phones }) => moment.kind === 'call' && moment.phase === phase && moment.to === phones[contact],
  };
}

export const steps = [
  { name: 'alert sent', segment: 'alert', reached: command },
  { name: 'accepted', segment: 'alert', reached: sight },
  { name: 'listed', segment: 'alert', reached: sight },
  { name: 'device looked up', segment: 'alert', reached: lookUp(0) },
  { name: 'verdict sent', segment: 'verdict', reached: command },
  { name: 'judged', segment: 'verdict', reached: sight },
  { name: 'named device looked up', segment: 'verdict', reached: lookUp(1) },
  { name: 'isolate sent', segment: 'verdict', reached: machine('arrived', 'isolate') },
  { name: 'isolate taken', segment: 'verdict', reached: machine('done', 'isolate') },
  { name: 'isolation pending', segment: 'verdict', reached: action },
  { name: 'isolated', segment: 'verdict', reached: sight },
  { name: 'mail sent', segment: 'verdict', reached: mail('arrived', 'primary') },
  { name: 'mail taken', segment: 'verdict', reached: mail('done', 'primary') },
  { name: 'told', segment: 'verdict', reached: sight },
  { name: 'call sent', segment: 'verdict', reached: dial('arrived') },
  { name: 'call taken', segment: 'verdict', reached: dial('done') },
  { name: 'ringing', segment: 'verdict', reached: call('ringing', 0) },
  { name: 'answered', segment: 'verdict', reached: call('answered', 1) },
  { name: 'key pressed', segment: 'verdict', reached: call('pressing', 1) },
  { name: 'acknowledged', segment: 'verdict', reached: sight },
  { name: 'escalation sent', segment: 'escalation', reached: command },
  { name: 'escalated', segment: 'escalation', reached: sight },
  { name: 'secondary taken', segment: 'escalation', reached: mail('done', 'secondary') },
  { name: 'release sent', segment: 'release', reached: command },
  { name: 'release ordered', segment: 'release', reached: sight },
  { name: 'unisolate sent', segment: 'release', reached: machine('arrived', 'unisolate') },
  { name: 'unisolate taken', segment: 'release', reached: machine('done', 'unisolate') },
  { name: 'release pending', segment: 'release', reached: action },
  { name: 'confirmation taken', segment: 'release', reached: mail('done', 'release-result') },
  { name: 'confirmed', segment: 'release', reached: sight },
  { name: 'close sent', segment: 'close', reached: command },
  { name: 'closed', segment: 'close', reached: sight },
] as const satisfies readonly Step[];

export type StepName = (typeof steps)[number]['name'];
