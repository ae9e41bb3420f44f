import type { Instruction, MailInstruction } from '../commands.js';
import type { Contact } from '../customer.js';
import { reject, type Rejection } from '../errors.js';
import { line } from '../templates/clean.js';
import { clip } from '../text.js';
import type { Instant } from '../time.js';
import { mailsNamed } from './named.js';

/*
 * A mail of the customer's is believed where its sender may instruct and it has proved to be theirs; otherwise after a call
 * back to the registered number of somebody who may.
 */

export interface Proof {
  key: string;
  messageId: string | null;
  contactId: string | null;
  isAuthenticated: boolean;
}

/** Whom a call back would be to, and when it was. */
export interface CallBack {
  by?: string | undefined;
  calledBackAt?: Instant | undefined;
}

function doubtOf(mail: Proof, isOnly: boolean, contacts: readonly Contact[]): string | undefined {
  // Anybody can send a mail under the Message-ID of another: what one has proved is nothing for the other's words.
  if (!isOnly) return 'Several mails have this Message-ID';
  if (contacts.find(({ id }) => id === mail.contactId)?.mayInstruct !== true) {
    return 'The mail is not from somebody who may instruct';
  }
  return mail.isAuthenticated ? undefined : 'The mail has not proved to be from its sender';
}

/** Is the mail by itself no more than a reason to call back? */
export function needsCallBack(mail: Proof, contacts: readonly Contact[]): boolean {
  return doubtOf(mail, true, contacts) !== undefined;
}

/** Was somebody called back who may instruct, at their registered number? */
export function isCalledBack({ by, calledBackAt }: CallBack, contacts: readonly Contact[]): boolean {
  const person = contacts.find(({ id }) => id === by);
  return calledBackAt !== undefined && person?.mayInstruct === true && person.phone !== undefined;
}

/**
 * The mail of that name as somebody's word, and whose word it is.
 *
 * @param path where the caller has named it, for the errors
 */
export function believed<T extends Proof>(
  mails: readonly T[],
  contacts: readonly Contact[],
  { mail: name, by, calledBackAt }: CallBack & { mail: string },
  path: string,
): Rejection | { mail: T; person: Contact } {
  const named = mailsNamed(mails, name);
  const mail = named.at(-1);
  if (mail === undefined) {
    return reject('unknown-mail', 'There is no such mail of the customer’s.', [
      { path: `${path}.mail`, message: 'is no mail of this conversation' },
    ]);
  }
  const personId = by ?? mail.contactId;
  const person = contacts.find(({ id }) => id === personId);
  if (by !== undefined && person?.mayInstruct !== true) {
    return reject('unknown-instructor', 'This person may not instruct for the customer.', [
      {
        path: `${path}.by`,
        message: person === undefined ? "is no contact of the customer's" : 'is a contact who may not instruct',
      },
    ]);
  }
  const doubt = doubtOf(mail, named.length === 1, contacts);
  const isSendersWord = doubt === undefined && person?.id === mail.contactId;
  if (person !== undefined && (isSendersWord || isCalledBack({ by: person.id, calledBackAt }, contacts))) {
    return { mail, person };
  }
  return reject(
    'call-back-needed',
    `${doubt ?? 'The mail is not from who is named'}: ` +
      'it is believed after a call back to the registered number of somebody who may instruct.',
    [
      { path: `${path}.by`, message: 'names the contact who was called back' },
      { path: `${path}.calledBackAt`, message: 'is needed for this mail' },
    ],
  );
}

const MAX_INSTRUCTION_WORDS = 2_000;

/** The instruction that a mail of the customer's is. */
export function instructionByMail(
  mails: readonly (Proof & {
    nature: string;
    from: { address: string } | null;
    receivedAt: Instant;
    subject: string;
    words: string;
  })[],
  contacts: readonly Contact[],
  instruction: MailInstruction,
): Rejection | { instruction: Instruction } {
  const written = mails.filter(({ nature }) => nature === 'message');
  const word = believed(written, contacts, instruction, 'instruction');
  if ('code' in word) return word;
  const { mail, person } = word;
  const { calledBackAt } = instruction;
  return {
    instruction: {
      by: person.id,
      channel: 'mail',
      receivedAt: mail.receivedAt,
      words: clip(mail.words.trim() === '' ? line(mail.subject, 500) : mail.words, MAX_INSTRUCTION_WORDS),
      ...(calledBackAt === undefined ? {} : { calledBackAt }),
      mail: {
        messageId: mail.messageId,
        key: mail.key,
        from: mail.from?.address ?? '',
        isAuthenticated: mail.isAuthenticated,
      },
    },
  };
}
