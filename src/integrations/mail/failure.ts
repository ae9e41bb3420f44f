import { z } from 'zod';
import { oneLine } from '../../domain/text.js';
import { MailError } from './errors.js';

/** What is read of nodemailer's errors; the rest (the transport's options among it) stays behind. */
const failureSchema = z.object({
  code: z.string().optional().catch(undefined),
  /** The system's code, e.g. `ECONNREFUSED`, where `code` says `ESOCKET`. */
  originalCode: z.string().optional().catch(undefined),
  command: z.string().optional().catch(undefined),
  response: z.string().optional().catch(undefined),
  responseCode: z.number().optional().catch(undefined),
  rejectedErrors: z
    .array(z.object({ responseCode: z.number() }))
    .optional()
    .catch(undefined),
});

type Failure = z.infer<typeof failureSchema>;

/** "Bad sequence of commands" tells of the session, not of the mail. */
const BAD_SEQUENCE = 503;

/** `dataSent`: the mail had been written to its end when this happened. */
export function mailError(error: unknown, dataSent: boolean): MailError {
  const failure = failureSchema.catch({}).parse(error);
  const { response, responseCode } = failure;
  return new MailError(wordsFor(failure), {
    kind: isPermanent(failure) ? 'permanent' : 'transient',
    smtpCode: responseCode,
    enhancedCode: /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1],
    // A server that answered has said what became of the mail.
    mayHaveBeenAccepted: dataSent && responseCode === undefined,
  });
}

/**
 * Only a refusal of the recipients or of the content is final. Everything before (connection, TLS, login, sender) is
 * the operator's to mend, and the mail waits for it.
 */
function isPermanent({ code, command, responseCode, rejectedErrors = [] }: Failure): boolean {
  if (code !== 'EENVELOPE' && code !== 'EMESSAGE') return false;
  if (responseCode === undefined) return true;
  if (command !== 'RCPT TO' && command !== 'DATA') return false;
  return ![responseCode, ...rejectedErrors.map((refused) => refused.responseCode)].some(
    (reply) => reply < 500 || reply === BAD_SEQUENCE,
  );
}

/** Whom it was for stands on the record; a failure's words come into logs too. Servers quote addresses, in links also. */
function withoutAddresses(text: string): string {
  return text.replace(/<?[^\s<>]+>?/g, (word) => (/@|%40/i.test(word) ? '<address>' : word));
}

function wordsFor({ code = 'UNKNOWN', originalCode = code, command, response }: Failure): string {
  if (response === undefined) return `The mail server gave no answer (${originalCode})`;
  const at = command === undefined ? '' : ` to ${oneLine(command, 20)}`;
  return `The mail server answered${at}: ${oneLine(withoutAddresses(response), 300)}`;
}
