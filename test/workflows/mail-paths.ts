import { until } from '../../simulator/testing.js';
import { STRANGERS_ID } from '../../src/domain/held-mail/strangers.js';
import { MAILBOX_ID } from '../../src/domain/mailbox/state.js';
import {
  answer as answerMail,
  bounceOf,
  escalated,
  heldPath,
  inquiryOf,
  inquiryPath,
  inquiryWhen as when,
  tokenAddress,
} from '../support/customer-mail.js';
import { instruction, MAILBOX_ADDRESS, verdict, type House, type Reply, type SimMail } from '../support/house.js';
import { strangersQuery } from '../../src/workflows/messages.js';
import type { Kept, Path } from './paths.js';

/*
 * The paths of a customer's mail.
 */

function inquiryWhen(house: House, id: string, holds: (inquiry: Reply['body']) => boolean): Promise<Reply['body']> {
  return when(house, id, 'as wanted', holds);
}

async function answer(house: House, mail: SimMail, text: string, from?: string): Promise<string> {
  return (await answerMail(house, mail, { text, ...(from === undefined ? {} : { from }) })).messageId;
}

function inquiry(workflowId: string): Kept {
  return { as: 'inquiry', workflowId };
}

function heldFrom(house: House, address: string): Promise<string> {
  return until(`a mail of ${address} is held`, async () => {
    const { body } = await house.get('/v1/mailbox/attention');
    return body.items.find(({ from }: Reply['body']) => from === address)?.id;
  });
}

const isReply = ({ status }: { status: string }): boolean => status === 'accepted';

export const MAIL_LIVES = {
  'mail-question-and-release': {
    house: 'mailed',
    live: async (house, acme) => {
      const { id, mail } = await escalated(house, acme, 3);
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
      const inquiryId = inquiryOf(id);
      const path = inquiryPath(inquiryId);
      await answer(house, mail, 'Which program was it?');
      await inquiryWhen(house, inquiryId, ({ mails }) => mails === 1);
      await house.post(`${path}/assign`, { operatorId: 'analyst' });
      await house.post(`${path}/answer`, { text: 'It was PowerShell.' });
      await inquiryWhen(house, inquiryId, ({ replies }) => replies.some(isReply));
      const order = await answer(house, mail, '隔離を解除してください。');
      await house.incidentWhen(id, 'offered', ({ attention }) => attention.includes('may-be-release-instruction'));
      await house.command(id, 'release', { instruction: { mail: order } });
      await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
      await house.post(`${path}/close`, { reason: 'done as told' });
      await house.incidentWhen(id, 'dealt with', ({ inquiry: standing }) => standing?.state === 'closed');
      await house.command(id, 'close', { reason: 'cleaned' });
      return [{ as: 'incident', workflowId: id }, inquiry(inquiryId), { as: 'mailbox', workflowId: MAILBOX_ID }];
    },
  },
  'mail-that-came-back': {
    house: 'mailed',
    live: async (house, acme) => {
      const { id, mail } = await escalated(house, acme, 2);
      await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
      await house.control('POST', '/sim/mails', {
        raw: bounceOf(mail.headers['message-id'] ?? '', mail.to, { id: `<report-${Date.now()}@mx.acme.example>` }),
      });
      await house.incidentWhen(id, 'came back', ({ attention }) => attention.includes('mail-bounced'));
      await house.command(id, 'triage', verdict(2));
      await house.incidentWhen(id, 'told again', ({ stage }) => stage === 'notified');
      return [{ as: 'incident', workflowId: id }];
    },
  },
  'mail-held-and-accepted': {
    house: 'mailed',
    live: async (house, acme) => {
      const { id, mail } = await escalated(house, acme, 2);
      const inquiryId = inquiryOf(id);
      await answer(house, mail, 'Please tell me more.', 'colleague@elsewhere.example');
      const held = await until('it is held', async () => {
        const { body } = await house.get('/v1/mailbox/attention');
        return body.items.find((item: Reply['body']) => item.from === 'colleague@elsewhere.example');
      });
      const path = `/v1/mailbox/attention/${encodeURIComponent(held.id)}`;
      await house.post(`${path}/accept`, { conversationOf: id, reason: 'Sato has confirmed it by telephone' });
      await inquiryWhen(house, inquiryId, ({ mails }) => mails === 1);
      await house.post(inquiryPath(inquiryId, 'refer'), {});
      await house.post(inquiryPath(inquiryId, 'answer'), { text: 'More follows.' });
      await inquiryWhen(house, inquiryId, ({ replies }) => replies.length > 0 && replies.every(isReply));
      return [{ as: 'held-mail', workflowId: held.id }, inquiry(inquiryId)];
    },
  },
  /** A held mail that its incident shows until somebody has dealt with it. */
  'mail-held-and-shown': {
    house: 'mailed',
    live: async (house, acme) => {
      const { id, mail } = await escalated(house, acme, 2);
      await answer(house, mail, 'Please tell me more.', 'colleague@elsewhere.example');
      await house.incidentWhen(id, 'shown', ({ attention }) => attention.includes('held-mail'));
      const held = await heldFrom(house, 'colleague@elsewhere.example');
      await house.post(heldPath(held, 'dismiss'), { reason: 'nobody of theirs' });
      await house.incidentWhen(id, 'shown no more', ({ attention }) => !attention.includes('held-mail'));
      return [
        { as: 'incident', workflowId: id },
        { as: 'held-mail', workflowId: held },
      ];
    },
  },
  'mails-of-strangers': {
    house: 'mailed',
    live: async (house) => {
      const write = (from: string) => house.control('POST', '/sim/mails', { from, subject: 'Hello', text: 'Hello' });
      await write('eve@evil.example');
      await until('one is told', async () =>
        (await house.mails()).find(({ text }) => text.includes('eve@evil.example')),
      );
      await write('mallory@evil.example');
      await until('one is told, and one is not', async () => {
        const { toldAt, untold } = await house.client.workflow.getHandle(STRANGERS_ID).query(strangersQuery);
        return toldAt !== null && untold === 1 ? true : undefined;
      });
      const held = await heldFrom(house, 'eve@evil.example');
      return [
        { as: 'held-mail', workflowId: held },
        { as: 'strangers', workflowId: STRANGERS_ID },
      ];
    },
  },
  /** What no person wrote, in a conversation of no incident. */
  'mail-that-is-noted': {
    house: 'mailed',
    live: async (house, acme) => {
      const subject = 'Another laptop';
      const from = 'suzuki@acme.example';
      await house.control('POST', '/sim/mails', { from, to: MAILBOX_ADDRESS, subject, text: 'Please watch it.' });
      const listed = await until('it is listed', async () => {
        const { body } = await house.get(`/v1/inquiries?customer=${acme}&state=open`);
        return body.items.find((item: Reply['body']) => item.subject === subject);
      });
      await house.post(inquiryPath(listed.id, 'answer'), { text: 'It is watched.' });
      const sent = await until('answered', async () =>
        (await house.mails()).find(({ text }) => text.includes('It is watched.')),
      );
      await answerMail(house, sent, { from, text: 'I am away.', headers: { 'Auto-Submitted': 'auto-replied' } });
      await inquiryWhen(house, listed.id, ({ noted, replies }) => noted.length === 1 && replies.every(isReply));
      return [inquiry(listed.id)];
    },
  },
  /** A mail that comes while the one before is answered; it may be an instruction, and needs a call back. */
  'mail-in-doubt-while-answering': {
    house: 'mailed',
    live: async (house, acme) => {
      const { id, mail } = await escalated(house, acme, 3);
      await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
      const inquiryId = inquiryOf(id);
      const path = inquiryPath(inquiryId);
      await answer(house, mail, 'Which program was it?');
      const { revision: seen } = await inquiryWhen(house, inquiryId, ({ mails }) => mails === 1);
      const raw = [
        'From: sato@acme.example',
        `To: ${tokenAddress(mail)}`,
        'Subject: x',
        '',
        'Please release the device.',
      ];
      await house.control('POST', '/sim/mails', { raw: [...raw, ''].join('\n') });
      await house.incidentWhen(id, 'offered', ({ attention }) => attention.includes('may-be-release-instruction'));
      const { conversation } = await inquiryWhen(house, inquiryId, ({ mails }) => mails === 2);
      await house.post(`${path}/answer`, { text: 'It was PowerShell.', seen });
      await house.post(`${path}/answer`, { text: 'We are calling you.' });
      await inquiryWhen(house, inquiryId, ({ replies }) => replies.length === 2 && replies.every(isReply));
      await house.incidentWhen(id, 'answered', ({ inquiry: standing }) => standing?.state === 'answered');
      await house.client.workflow.getHandle(id).signal('release', { instruction: instruction() });
      await house.incidentWhen(id, 'not typed past it', ({ attention }) => attention.includes('rejected-signal'));
      const { key } = conversation.find((each: Reply['body']) => each.messageId === null);
      const calledBackAt = new Date().toISOString();
      await house.command(id, 'release', { instruction: { mail: key, by: 'sato', calledBackAt } });
      await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
      await house.post(`${path}/close`, { reason: 'done as told' });
      await house.incidentWhen(id, 'dealt with', ({ inquiry: standing }) => standing?.state === 'closed');
      await house.command(id, 'close', { reason: 'cleaned' });
      return [{ as: 'incident', workflowId: id }, inquiry(inquiryId)];
    },
  },
  'mail-without-a-thread': {
    house: 'mailed',
    live: async (house, acme) => {
      const subject = 'A new laptop';
      const written = {
        from: 'suzuki@acme.example',
        to: 'mimamori@mimamori.example',
        subject,
        text: 'Please watch it.',
      };
      await house.control('POST', '/sim/mails', written);
      const listed = await until('it is listed', async () => {
        const { body } = await house.get(`/v1/inquiries?customer=${acme}&state=open`);
        return body.items.find((item: Reply['body']) => item.subject === subject);
      });
      await house.post(inquiryPath(listed.id, 'close'), { reason: 'done' });
      await inquiryWhen(house, listed.id, ({ state }) => state === 'closed');
      return [inquiry(listed.id)];
    },
  },
} satisfies Record<string, Path>;
