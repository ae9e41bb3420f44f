import type { Outside } from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import { toInstant } from '../domain/time.js';
import { MailError } from '../integrations/mail/errors.js';
import type { MailSender } from '../integrations/mail/sender.js';
import { alive, isTemporals, tryAgainOrTell, type TellDeps } from './support.js';

export interface MailDeps extends TellDeps {
  mail: MailSender;
}

export function mailActivities({ mail, ...tell }: MailDeps): Pick<Outside, 'sendMail'> {
  return {
    sendMail: ({ isTold, ...input }) =>
      alive(async (signal) => {
        try {
          const { acceptedAt, rejected } = await mail.send(input, signal);
          return { status: 'accepted', at: acceptedAt, rejected };
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
