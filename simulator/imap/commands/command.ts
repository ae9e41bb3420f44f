import type { Mailbox } from '../mailbox.js';
import type { Argument } from '../syntax.js';
import type { View } from '../view.js';

/** What commands know and change of the session that they come from. */
export interface Session {
  readonly mailbox: Mailbox;
  isSignedIn: boolean;
  view: View | undefined;
  isLeaving: boolean;
  /** Goes out together with the answer. */
  untagged(...parts: readonly (string | Buffer)[]): void;
  /** Asks the client for one more line; null when it has gone or would rather not. */
  ask(prompt: string): Promise<string | null>;
}

export interface Outcome {
  kind: 'OK' | 'NO' | 'BAD';
  text: string;
}

export const ok = (text: string): Outcome => ({ kind: 'OK', text });
export const no = (text: string): Outcome => ({ kind: 'NO', text });

export type Command = (session: Session, given: readonly Argument[]) => Outcome | Promise<Outcome>;

export type Commands = Readonly<Record<string, Command>>;
