import type { InboundMail } from '../../src/domain/customer-mail/mail.js';

/** A mail of a contact's that has proved to be theirs, as it is parsed. */
export function inboundMail(mail: Partial<InboundMail> = {}): InboundMail {
  return {
    key: '0'.repeat(32),
    messageId: '<mail-1@acme.example>',
    inReplyTo: [],
    references: [],
    from: { address: 'sato@acme.example', name: '佐藤' },
    recipients: ['soc@mimamori.example'],
    subject: 'Re: an alert',
    receivedAt: '2026-11-24T03:00:00.000Z',
    nature: 'message',
    natureBecause: '',
    newText: 'Which program was it?',
    quotedText: '',
    isCut: false,
    attachments: [],
    attachmentsLeftOut: 0,
    notes: [],
    authentication: { spf: 'pass', dkim: 'pass', dmarc: 'pass', verdict: 'authenticated' },
    report: null,
    ...mail,
  };
}
