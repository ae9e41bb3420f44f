import { createHash } from 'node:crypto';
import { replyAddress, taggedSubject, type MailTokens } from '../domain/customer-mail/tag.js';
import type { Outside } from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import { toInstant } from '../domain/time.js';
import { readBody } from '../integrations/mail/body.js';
import { MailError } from '../integrations/mail/errors.js';
import type { MailSender } from '../integrations/mail/sender.js';
import { alive, isTemporals, tryAgainOrTell, type TellDeps } from './support.js';

export interface MailDeps extends TellDeps {
  mail: MailSender;
  tokens: MailTokens;
  /** The address of the mailbox that customers answer to. */
  replyTo: string;
}

const MAX_SUBJECT_LENGTH = 180;

export function mailActivities({ mail, tokens, replyTo, ...tell }: MailDeps): Pick<Outside, 'sendMail'> {
  /** What tells an answer to it from other mail: made here, so that no token is in a history. */
  function answerable(conversation: string | undefined, subject: string) {
    if (conversation === undefined) return { subject };
    const token = tokens.of(conversation);
    return { subject: taggedSubject(subject, token, MAX_SUBJECT_LENGTH), replyTo: replyAddress(replyTo, token) };
  }

  return {
    sendMail: (input) =>
      alive(async (signal) => {
        const { isTold, letters: _, conversation, subject, ...envelope } = input;
        // What cannot be read fails and is tried again: a newer worker may have written it, and reads it.
        const body = readBody(input);
        try {
          const { acceptedAt, rejected } = await mail.send(
            { ...envelope, ...answerable(conversation, subject), ...body },
            signal,
          );
          const textSha256 = createHash('sha256').update(body.text.replace(/\r\n?/g, '\n')).digest('hex');
          return { status: 'accepted', at: acceptedAt, rejected, textSha256 };
        } catch (error) {
          if (isTemporals(error) || !(error instanceof MailError)) throw error;
          if (error.kind === 'permanent') {
            return { status: 'rejected', reason: 'mail-rejected', response: oneLine(error.message, 300) };
          }
          if (error.mayHaveBeenAccepted) return { status: 'uncertain', at: toInstant(Date.now()) };
          return tryAgainOrTell(error, { isTold }, tell);
        }
      }),
  };
}
