import { anytime } from './anytime.js';
import { BadCommand } from '../syntax.js';
import { ofFolders } from './folders.js';
import { ofMessages } from './messages.js';
import type { Command } from './command.js';

const signedIn = { ...ofFolders, ...ofMessages };

const whenSignedIn =
  (command: Command): Command =>
  (session, given) => {
    if (!session.isSignedIn) throw new BadCommand('Sign in first');
    return command(session, given);
  };

export const commands: ReadonlyMap<string, Command> = new Map([
  ...Object.entries(anytime),
  ...Object.entries(signedIn).map(([name, command]): [string, Command] => [name, whenSignedIn(command)]),
]);
