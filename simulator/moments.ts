import type { Target } from './requests.js';

/**
 * A moment in which the world outside can be seen, and held, by whoever runs the simulator in its own process: a request
 * has arrived, or is done and about to be answered; a telephone rings, was answered, is about to have a key pressed.
 */
export type Moment =
  | {
      kind: 'request';
      phase: 'arrived' | 'done';
      target: Target;
      method: string;
      path: string;
      body: string;
      /** Known once the request is done. */
      tenantId?: string;
    }
  | { kind: 'call'; phase: 'ringing' | 'answered' | 'pressing'; to: string };

/** Everything waits for it. `cut` cuts the connection of the request; of a call it means nothing. */
export type Watch = (moment: Moment) => Promise<'go-on' | 'cut'>;

export const watchNothing: Watch = () => Promise.resolve('go-on');
