import { reject, type Rejection } from '../errors.js';

/**
 * The mails of that name. A key names one; a Message-ID may name several, since anybody can send a mail under that of another.
 */
export function mailsNamed<T extends { key: string; messageId: string | null }>(
  mails: readonly T[],
  name: string,
): T[] {
  return mails.filter(({ key, messageId }) => key === name || messageId === name);
}

/** The one mail that somebody means: the one of that name, or the last. */
export function meantMail<T extends { key: string; messageId: string | null }>(
  mails: readonly T[],
  name: string | undefined,
): Rejection | { mail: T } {
  const [mail, ...others] = name === undefined ? mails.slice(-1) : mailsNamed(mails, name);
  if (mail === undefined) {
    return reject('unknown-mail', 'The inquiry holds no such mail.', [
      { path: 'mail', message: 'is no mail of this inquiry' },
    ]);
  }
  return others.length === 0
    ? { mail }
    : reject('invalid-input', 'Several mails have this Message-ID.', [
        { path: 'mail', message: 'names several mails: name the one by its key' },
      ]);
}
