import type { MailInput, Outside } from '../domain/ports.js';
import { oneLine } from '../domain/text.js';
import { MailError } from '../integrations/mail/errors.js';
import type { MailSender } from '../integrations/mail/sender.js';
import { alive, isTemporals, tryAgain } from './support.js';

export interface MailDeps {
  mail: MailSender;
}

export function mailActivities({ mail }: MailDeps): Pick<Outside, 'sendMail'> {
  return {
    sendMail: (input: MailInput) =>
      alive(async (signal) => {
        try {
          const { acceptedAt, rejected } = await mail.send(input, signal);
          return { status: 'accepted', at: acceptedAt, rejected };
        } catch (error) {
          if (isTemporals(error) || !(error instanceof MailError)) throw error;
          if (error.kind === 'permanent') {
            return { status: 'rejected', reason: 'mail-rejected', response: oneLine(error.message, 300) };
          }
          if (error.mayHaveBeenAccepted) return { status: 'uncertain' };
          throw tryAgain('MailError', error);
        }
      }),
  };
}
