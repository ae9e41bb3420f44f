import { createHash } from 'node:crypto';
import { LIMITS, type InboundMail } from '../../../domain/customer-mail/mail.js';
import { splitQuoted } from '../../../domain/customer-mail/quoted.js';
import { clip, oneLine } from '../../../domain/text.js';
import type { Instant } from '../../../domain/time.js';
import { recipientsOf, senderOf } from './addresses.js';
import { describeFile } from './attachments.js';
import { authenticationOf } from './authentication.js';
import { bodyOf, filesOf, withoutControls } from './body.js';
import { idIn, idsIn } from './ids.js';
import { keyOf } from './key.js';
import { judgeNature } from './nature.js';
import { notesOf } from './notes.js';
import { findParts } from './parts.js';
import { readReport } from './report.js';
import { decodeWords } from './words.js';

export interface InboundOptions {
  /** By which the receiving server names itself in Authentication-Results. Without it nothing is known of who sent a mail. */
  authservId?: string;
  /** The part behind the `@` of this service's own Message-IDs. */
  ownMessageIdDomain: string;
  /** When the mailbox's server took it. */
  receivedAt: Instant;
}

/**
 * What the service can work with of a raw mail. Never throws: mails are written by anybody, and one that nobody can read must
 * not keep the next one waiting. What cannot be read is told in `notes`.
 */
export function parseInbound(raw: Uint8Array, options: InboundOptions): Promise<InboundMail> {
  return Promise.resolve()
    .then(() => readMail(raw, options))
    .catch(() => unreadable(raw, options));
}

function readMail(raw: Uint8Array, { authservId, ownMessageIdDomain, receivedAt }: InboundOptions): InboundMail {
  const parts = findParts(raw);
  const { headers, leaves } = parts;
  const sender = senderOf(headers);
  const body = bodyOf(leaves);
  const text = withoutControls(body.text);
  const { newText, quotedText } = splitQuoted(text);
  const files = filesOf(leaves);
  const judged = judgeNature(parts, sender.from?.address ?? null, ownMessageIdDomain);
  return {
    key: keyOf(headers, leaves),
    messageId: idIn(headers.first('message-id')),
    inReplyTo: idsIn(headers.first('in-reply-to')),
    references: idsIn(headers.first('references')),
    from: sender.from,
    recipients: recipientsOf(headers),
    subject: oneLine(decodeWords(headers.first('subject')), LIMITS.subject),
    receivedAt,
    ...judged,
    newText: clip(newText, LIMITS.newText),
    quotedText: clip(quotedText, LIMITS.quotedText),
    isCut: body.isCut || newText.length > LIMITS.newText || quotedText.length > LIMITS.quotedText,
    attachments: files.slice(0, LIMITS.attachments).map(describeFile),
    attachmentsLeftOut: Math.max(0, files.length - LIMITS.attachments),
    notes: [...(sender.problem === null ? [] : [sender.problem]), ...notesOf(parts, text)],
    authentication: authenticationOf(headers, authservId, sender.from?.address ?? null),
    report: judged.nature === 'delivery-report' ? readReport(parts, text, ownMessageIdDomain) : null,
  };
}

/** For a fault of ours in reading: the mail is still known to have come, under a key of its bytes. */
function unreadable(raw: Uint8Array, { receivedAt }: InboundOptions): InboundMail {
  return {
    key: createHash('sha256').update(raw).digest('hex').slice(0, 32),
    messageId: null,
    inReplyTo: [],
    references: [],
    from: null,
    recipients: [],
    subject: '',
    receivedAt,
    nature: 'message',
    natureBecause: '',
    newText: '',
    quotedText: '',
    isCut: false,
    attachments: [],
    attachmentsLeftOut: 0,
    notes: ['unreadable'],
    authentication: { spf: 'absent', dkim: 'absent', dmarc: 'absent', verdict: 'unknown' },
    report: null,
  };
}
