import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { setGoing } from '../../src/temporal/set-going.js';
import { answer, escalated, inquiryOf, inquiryWhen, mailsTo } from '../support/customer-mail.js';
import { House, type Reply } from '../support/house.js';

describe("the customer's mail", () => {
  let house: House;
  let customer = '';
  before(async () => {
    house = await House.open({ mailbox: true });
    customer = house.customer('acme');
  });
  after(() => house.close());

  it('is shown on its incident with the right words, and answered in the thread', async () => {
    const { id, mail } = await escalated(house, customer);
    assert.match(mail.headers['reply-to'] ?? '', /mimamori\+[a-z2-7]{8}-[a-z2-7]{12}@mimamori\.example/);
    assert.match(mail.subject, /\[#[a-z2-7]{8}-[a-z2-7]{12}\]$/);
    const { messageId } = await answer(house, mail, {
      text: 'この端末は髙橋のものです。①どの操作で検知されましたか。',
    });
    const shown = await house.incidentWhen(id, 'the mail is there', ({ customerMails }) => customerMails.length === 1);
    const [received] = shown.customerMails;
    assert.equal(received.words, 'この端末は髙橋のものです。①どの操作で検知されましたか。');
    assert.deepEqual([received.contactId, received.isAuthenticated, received.messageId], ['sato', true, messageId]);
    const waiting = await house.incidentWhen(id, 'somebody has to answer', ({ attention }) =>
      attention.includes('customer-mail'),
    );
    assert.equal(waiting.inquiry.state, 'open');
    const entry = waiting.timeline.find(({ type }: { type: string }) => type === 'customer-mail');
    assert.match(entry.data.words, /髙橋のものです/);

    const inquiryId = inquiryOf(id);
    const listed = await until('it is listed', async () => {
      const { body } = await house.get(`/v1/inquiries?customer=${customer}&state=unanswered`);
      return body.items.find((item: Reply['body']) => item.id === inquiryId);
    });
    assert.equal(listed.incidentId, id);
    const assigned = await house.post(`/v1/inquiries/${encodeURIComponent(inquiryId)}/assign`, {
      operatorId: 'analyst',
    });
    assert.deepEqual([assigned.status, assigned.body.state], [200, 'assigned']);
    const text = 'PowerShell の実行です。';
    const answered = await house.post(`/v1/inquiries/${encodeURIComponent(inquiryId)}/answer`, { text });
    assert.equal(answered.status, 200, JSON.stringify(answered.body));
    const [reply] = await until('the answer is sent', async () => {
      const sent = await mailsTo(house, 'sato@acme.example', 'inquiry-answer');
      return sent.length > 0 ? sent : undefined;
    });
    assert.ok(reply);
    assert.equal(reply.headers['in-reply-to'], messageId);
    assert.ok(reply.headers['references']?.includes(mail.headers['message-id'] ?? '-'));
    assert.match(reply.text, /PowerShell の実行です。/);
    assert.deepEqual(reply.cc, ['security@acme.example']);
    const done = await house.incidentWhen(id, 'it says that it was answered', ({ timeline }) =>
      timeline.some(({ type }: { type: string }) => type === 'inquiry'),
    );
    assert.deepEqual([done.inquiry.state, done.attention], ['answered', []]);

    // A new mail in the thread opens it again.
    await answer(house, reply, { text: 'もう一つ質問があります。' });
    const again = await inquiryWhen(house, inquiryId, 'open again', ({ state }) => state === 'assigned');
    assert.equal(again.conversation.length, 2);
    assert.equal(again.conversation[1].newText, 'もう一つ質問があります。');
    await until('it is moved', async () => {
      const { folders } = await house.control('GET', '/sim/mailbox');
      return folders.INBOX.some(({ from }: { from: string }) => from.includes('sato')) ? undefined : true;
    });
  });

  it('that is long is shown whole, and its entry on the timeline has the beginning', async () => {
    const { id, mail } = await escalated(house, customer);
    const text = Array.from(
      { length: 300 },
      (_, line) => `${line}行目: この端末の操作について確認をお願いします。`,
    ).join('\n');
    await answer(house, mail, { text });
    const shown = await house.incidentWhen(id, 'the mail is there', ({ customerMails }) => customerMails.length === 1);
    const [{ words, isCut }] = shown.customerMails;
    assert.deepEqual([words, isCut], [text, false]);
    const entry = shown.timeline.find(({ type }: { type: string }) => type === 'customer-mail');
    assert.equal(entry.data.isCut, true);
    assert.ok(text.startsWith(entry.data.words.slice(0, -1)));
    assert.ok(Buffer.byteLength(JSON.stringify(entry)) < 4_000);
  });

  it('that comes while its incident is stopped is on it once that is set going again', async () => {
    const { id, mail } = await escalated(house, customer);
    await house.client.workflow.getHandle(id).terminate('a slip of the hand');
    await answer(house, mail, { text: 'Is anybody there?' });
    const inquiryId = inquiryOf(id);
    await inquiryWhen(house, inquiryId, 'it has the mail', ({ mails }) => mails === 1);
    await until('the incident was to be told, and could not be', async () => {
      const { raw } = await house.client.workflow.getHandle(inquiryId).describe();
      const [telling] = raw.pendingActivities ?? [];
      return (telling?.attempt ?? 0) > 1 ? true : undefined;
    });
    await setGoing(house.client, id);
    const shown = await house.incidentWhen(id, 'the mail is there', ({ customerMails }) => customerMails.length === 1);
    assert.equal(shown.customerMails[0].words, 'Is anybody there?');
    assert.ok(shown.attention.includes('customer-mail'));
  });
});
