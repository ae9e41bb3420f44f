import { BadCommand, textOf } from '../syntax.js';
import { no, ok, type Commands } from './command.js';

export const capabilities =
  'IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN AUTH=XOAUTH2 ID NAMESPACE IDLE MOVE UIDPLUS UNSELECT';

/** Commands of every session, signed in or not. Anybody may sign in, with any password. */
export const anytime: Commands = {
  CAPABILITY: (session) => {
    session.untagged(`CAPABILITY ${capabilities}`);
    return ok('CAPABILITY completed');
  },
  NOOP: () => ok('NOOP completed'),
  ID: (session) => {
    session.untagged('ID ("name" "Mimamori simulator")');
    return ok('ID completed');
  },
  LOGOUT: (session) => {
    session.untagged('BYE Until next time');
    session.isLeaving = true;
    return ok('LOGOUT completed');
  },
  LOGIN: (session, [user, password]) => {
    if (textOf(user) === '') return no('[AUTHENTICATIONFAILED] There is no such user');
    textOf(password);
    session.isSignedIn = true;
    return ok(`[CAPABILITY ${capabilities}] Signed in`);
  },
  AUTHENTICATE: async (session, [mechanism, initial]) => {
    const name = textOf(mechanism).toUpperCase();
    if (name !== 'PLAIN' && name !== 'XOAUTH2') return no('There is no such mechanism');
    const response = initial === undefined ? await session.ask('') : textOf(initial);
    if (response === null || response === '*') throw new BadCommand('The sign-in was called off');
    const said = Buffer.from(response, 'base64').toString('utf8');
    const isWellFormed =
      name === 'PLAIN'
        ? /^[^\0]*\0[^\0]+\0[^\0]*$/.test(said)
        : /^user=[^\x01]+\x01auth=Bearer [^\x01]+\x01\x01$/.test(said);
    if (!isWellFormed) return no('[AUTHENTICATIONFAILED] That is no sign-in');
    session.isSignedIn = true;
    return ok(`[CAPABILITY ${capabilities}] Signed in`);
  },
};
