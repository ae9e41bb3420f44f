import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import {
  answer as answerMail,
  bounceOf,
  escalated,
  inquiryOf,
  inquiryPath,
  inquiryWhen,
  type Written,
} from '../support/customer-mail.js';
import { customersNamed, House, verdict, type Reply, type SimMail } from '../support/house.js';

const DESK = { name: 'Defender の窓口', phone: '+81355550000' };

describe('what becomes of a customer’s mail', () => {
  let house: House;
  let customer = '';
  before(async () => {
    const suffix = randomUUID().slice(0, 8);
    const customers = customersNamed(suffix).map((each) =>
      each.id.startsWith('acme') ? { ...each, productSupport: DESK } : each,
    );
    house = await House.open({ mailbox: true, customers });
    customer = house.customer('acme');
  });
  after(() => house.close());

  async function answer(mail: SimMail, text: string, more: Partial<Written> = {}): Promise<string> {
    return (await answerMail(house, mail, { text, ...more })).messageId;
  }

  function mailOf(what: string, holds: (mail: SimMail) => boolean): Promise<SimMail> {
    return until(what, async () => (await house.mails()).find(holds));
  }

  it('is the answer to what was asked, on one confirmation', async () => {
    const askCustomer = 'このツールはお客様のものですか。';
    const { id, mail } = await escalated(house, customer, 2, { judgement: 'undetermined', askCustomer });
    const inquiryId = inquiryOf(id);
    const path = inquiryPath(inquiryId);
    const messageId = await answer(mail, 'はい、当社のバックアップです。');
    await inquiryWhen(house, inquiryId, 'it is there', ({ mails }) => mails === 1);
    const unknown = await house.post(`${path}/is-answer`, { mail: '<other@acme.example>' });
    assert.deepEqual([unknown.status, unknown.body.code], [404, 'unknown-mail']);
    const headers = { 'Idempotency-Key': randomUUID() };
    const confirmed = await house.post(`${path}/is-answer`, { mail: messageId }, { headers });
    assert.deepEqual([confirmed.status, confirmed.body.state], [200, 'closed'], JSON.stringify(confirmed.body));
    const again = await house.post(`${path}/is-answer`, { mail: messageId }, { headers });
    assert.equal(again.status, 200);
    const { questions, timeline } = await house.incident(id);
    const [question] = questions;
    assert.deepEqual([question.answer.channel, question.answer.words], ['mail', 'はい、当社のバックアップです。']);
    assert.equal(timeline.filter(({ type }: { type: string }) => type === 'answer').length, 1);
    await answer(mail, 'もう一通です。');
    await inquiryWhen(house, inquiryId, 'open again', ({ state }) => state === 'open');
    const nothing = await house.post(`${path}/is-answer`, {});
    assert.deepEqual([nothing.status, nothing.body.code], [409, 'no-question-open']);
  });

  it('that comes while an analyst types is not answered by what does not know it', async () => {
    const askCustomer = 'このツールはお客様のものですか。';
    const { id, mail } = await escalated(house, customer, 2, { judgement: 'undetermined', askCustomer });
    const inquiryId = inquiryOf(id);
    const path = inquiryPath(inquiryId);
    const first = await answer(mail, 'はい、当社のバックアップです。');
    const { revision: seen } = await inquiryWhen(house, inquiryId, 'it is there', ({ mails }) => mails === 1);
    await answer(mail, 'それと、もう一台も見てください。');
    const { conversation } = await inquiryWhen(house, inquiryId, 'both are', ({ mails }) => mails === 2);
    const answered = await house.post(`${path}/answer`, { text: '確認しました。', seen });
    const second = conversation[1].receivedAt;
    assert.deepEqual(
      [answered.status, answered.body.state, answered.body.waitingSince],
      [200, 'open', second],
      JSON.stringify(answered.body),
    );
    const reply = await mailOf('it is the answer to the first', ({ text }) => text.includes('確認しました。'));
    assert.equal(reply.headers['in-reply-to'], first);
    const confirmed = await house.post(`${path}/is-answer`, { mail: conversation[0].key });
    assert.deepEqual([confirmed.status, confirmed.body.state, confirmed.body.waitingSince], [200, 'open', second]);
    const never = await house.post(`${path}/answer`, { text: 'x', seen: 10_000 });
    assert.deepEqual([never.status, never.body.code, never.body.errors[0].path], [422, 'invalid-input', 'seen']);
    // Whoever says nothing of it has read what is there.
    await inquiryWhen(house, inquiryId, 'the reply is out', ({ replies }) => replies[0].status === 'accepted');
    const all = await house.post(`${path}/close`, { reason: 'done by telephone' });
    assert.deepEqual([all.body.state, all.body.waitingSince], ['closed', null], JSON.stringify(all.body));
  });

  it('about the product is referred to its support desk, in the customer’s language', async () => {
    const { id, mail } = await escalated(house, customer);
    const messageId = await answer(mail, 'Defender のライセンスについて教えてください。');
    const inquiryId = inquiryOf(id);
    const path = inquiryPath(inquiryId);
    await inquiryWhen(house, inquiryId, 'it is there', ({ mails }) => mails === 1);
    const referred = await house.post(`${path}/refer`, {});
    assert.deepEqual([referred.status, referred.body.state], [200, 'referred']);
    const sent = await mailOf('the referral is sent', ({ headers }) => headers['in-reply-to'] === messageId);
    assert.equal(sent.headers['x-mimamori-kind'], 'inquiry-referral');
    assert.match(sent.text, /Defender の窓口[\s\S]*\+81355550000/);
  });

  it('is closed where nothing has to be answered', async () => {
    const { id, mail } = await escalated(house, customer);
    await answer(mail, 'ありがとうございます。');
    const inquiryId = inquiryOf(id);
    const path = inquiryPath(inquiryId);
    await inquiryWhen(house, inquiryId, 'it is there', ({ mails }) => mails === 1);
    const closed = await house.post(`${path}/close`, { reason: 'a word of thanks' });
    assert.deepEqual([closed.status, closed.body.state, closed.body.waitingSince], [200, 'closed', null]);
    const calm = await house.incidentWhen(id, 'nothing waits', ({ inquiry }) => inquiry?.state === 'closed');
    assert.deepEqual(calm.attention, []);
    const sent = (await house.mails()).filter(({ headers }) => headers['x-mimamori-kind']?.startsWith('inquiry'));
    assert.ok(sent.every(({ headers }) => headers['x-mimamori-incident'] !== id));
  });

  it('asks for an exclusion, which is confirmed as a reply to it', async () => {
    const { id, mail } = await escalated(house, customer, 2, {
      exclusionProposal: { what: 'backup.exe', why: 'the backup' },
    });
    const messageId = await answer(mail, 'ホワイトリストへの登録をお願いします。');
    const inquiryId = inquiryOf(id);
    const inquiry = await inquiryWhen(house, inquiryId, 'it is there', ({ mails }) => mails === 1);
    assert.equal(inquiry.conversation[0].hints[0].kind, 'exclusion-request');
    const body = {
      conditions: { fileName: 'backup.exe', folderPath: 'C:\\Backup\\*' },
      reason: 'the customer’s backup',
      expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
      set: { ownFilter: true },
      incidentId: id,
    };
    const proposed = await house.post(`/v1/customers/${customer}/exclusions`, body);
    assert.deepEqual([proposed.status, proposed.body.state, proposed.body.asksCustomer], [201, 'proposed', true]);
    const exclusion = `/v1/exclusions/${encodeURIComponent(proposed.body.id)}`;
    const other = await house.post(`${exclusion}/request`, { mail: '<other@acme.example>' });
    assert.deepEqual([other.status, other.body.code], [404, 'unknown-mail']);
    const requested = await house.post(`${exclusion}/request`, { mail: messageId });
    assert.deepEqual([requested.status, requested.body.state], [200, 'requested'], JSON.stringify(requested.body));
    const { customerRequest } = requested.body;
    assert.deepEqual(customerRequest.mail, { messageId, isAuthenticated: true });
    assert.equal(customerRequest.words, 'ホワイトリストへの登録をお願いします。');
    // The breadth of one on a new house may want a second approval.
    for (const as of ['second', 'bound'] as const) await house.post(`${exclusion}/approve`, {}, { as });
    const confirmation = await mailOf('it is confirmed', ({ headers }) => headers['in-reply-to'] === messageId);
    assert.equal(confirmation.headers['x-mimamori-kind'], 'exclusion-confirmed');
    assert.match(confirmation.headers['reply-to'] ?? '', /mimamori\+[a-z2-7-]{21}@/);
  });

  it('that asks for one without having proved its sender wants a call back', async () => {
    const { id, mail } = await escalated(house, customer);
    // The receiving server found nothing either way.
    const raw = [
      `From: sato@acme.example`,
      `To: ${mail.headers['reply-to'] ?? ''}`,
      'Subject: Re: whitelist',
      'Message-ID: <unproved@acme.example>',
      `In-Reply-To: ${mail.headers['message-id'] ?? ''}`,
      '',
      'Please add backup.exe to the whitelist.',
    ].join('\r\n');
    await house.control('POST', '/sim/mails', { raw });
    const inquiryId = inquiryOf(id);
    await inquiryWhen(house, inquiryId, 'it is there', ({ mails }) => mails === 1);
    const body = {
      conditions: { fileName: 'backup.exe' },
      reason: 'the customer’s backup',
      expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
      set: { ownFilter: true },
      incidentId: id,
      customerRequest: { mail: '<unproved@acme.example>' },
    };
    const refused = await house.post(`/v1/customers/${customer}/exclusions`, body);
    assert.deepEqual([refused.status, refused.body.code], [422, 'call-back-needed']);
    const calledBackAt = new Date().toISOString();
    const customerRequest = { ...body.customerRequest, calledBackAt };
    const proposed = await house.post(`/v1/customers/${customer}/exclusions`, { ...body, customerRequest });
    assert.deepEqual([proposed.status, proposed.body.state], [201, 'requested'], JSON.stringify(proposed.body));
    assert.deepEqual(proposed.body.customerRequest.mail, {
      messageId: '<unproved@acme.example>',
      isAuthenticated: false,
      calledBackAt,
      calledBack: 'sato',
    });
  });

  it('that asks for one from somebody who may not instruct wants a call back of one who may', async () => {
    const { id, mail } = await escalated(house, customer);
    const messageId = await answer(mail, 'ホワイトリストへの登録をお願いします。', { from: 'tanaka@acme.example' });
    await inquiryWhen(house, inquiryOf(id), 'it is there', ({ mails }) => mails === 1);
    const propose = (customerRequest: unknown): Promise<Reply> =>
      house.post(`/v1/customers/${customer}/exclusions`, {
        conditions: { fileName: 'backup.exe' },
        reason: 'the customer’s backup',
        expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
        set: { ownFilter: true },
        incidentId: id,
        customerRequest,
      });
    const calledBackAt = new Date().toISOString();
    for (const [request, code] of [
      [{ mail: messageId }, 'call-back-needed'],
      [{ mail: messageId, calledBackAt }, 'call-back-needed'],
      [{ mail: messageId, by: 'tanaka', calledBackAt }, 'unknown-instructor'],
    ] as const) {
      const { status, body } = await propose(request);
      assert.deepEqual([status, body.code], [422, code]);
    }
    const proposed = await propose({ mail: messageId, by: 'sato', calledBackAt });
    assert.deepEqual([proposed.status, proposed.body.state], [201, 'requested'], JSON.stringify(proposed.body));
    assert.equal(proposed.body.customerRequest.mail.calledBack, 'sato');
  });

  it('that comes back undelivered is loud: the mail is owed again, and the clock with it', async () => {
    const { id, mail } = await escalated(house, customer, 3);
    await house.incidentWhen(id, 'the target is met', ({ slo }) => slo.state === 'met');
    const raw = bounceOf(mail.headers['message-id'] ?? '', mail.to, { id: '<report@mx.acme.example>' });
    await house.control('POST', '/sim/mails', { raw });
    const lost = await house.incidentWhen(id, 'it says so', ({ attention }) => attention.includes('mail-bounced'));
    assert.equal(lost.slo.state, 'running');
    const duty = lost.duties.find((each: Reply['body']) => each.id === 'mail:primary');
    assert.deepEqual([duty.status, duty.reason], ['owed', 'mail-bounced']);
    const told = await mailOf(
      'the SOC is told',
      ({ headers }) => headers['x-mimamori-kind'] === 'soc-failure' && headers['x-mimamori-incident'] === id,
    );
    assert.match(told.text, /security@acme\.example|no such user|返送|returned/);
    // The same verdict again tries once more, as another mail.
    await house.command(id, 'triage', verdict(3));
    const second = await mailOf(
      'it goes out again',
      ({ headers }) =>
        headers['x-mimamori-kind'] === 'primary' &&
        headers['x-mimamori-incident'] === id &&
        headers['message-id'] !== mail.headers['message-id'],
    );
    assert.deepEqual(second.to, mail.to);
    await house.incidentWhen(id, 'the target is met again', ({ slo }) => slo.state === 'met');
  });

  it('that waits longest is first, however many are asked for', async () => {
    const globex = house.customer('globex');
    const list = (more = ''): Promise<Reply> => house.get(`/v1/inquiries?customer=${globex}&state=unanswered${more}`);
    const subjects = ['the first', 'the second', 'the third'];
    for (const subject of subjects) {
      const mail = { from: 'security@globex.example', to: 'mimamori@mimamori.example', subject, text: 'A question.' };
      await house.control('POST', '/sim/mails', mail);
      await until(`${subject} is listed`, async () =>
        (await list()).body.items.find((item: Reply['body']) => item.subject === subject),
      );
    }
    const shown = ({ body }: Reply) => [body.items.map((item: Reply['body']) => item.subject), body.truncated];
    assert.deepEqual(shown(await list()), [subjects, false]);
    assert.deepEqual(shown(await list('&limit=2')), [subjects.slice(0, 2), true]);
    const paged = await house.get(`/v1/inquiries?customer=${globex}&limit=1`);
    assert.equal(typeof paged.body.nextPageToken, 'string');
    const refused = await list(`&pageToken=${paged.body.nextPageToken}`);
    assert.deepEqual([refused.status, refused.body.code], [422, 'invalid-input']);
  });

  it('without a thread is an inquiry of its own, where the sender is registered', async () => {
    const headers = { 'X-Test': randomUUID() };
    await house.control('POST', '/sim/mails', {
      from: 'suzuki@acme.example',
      to: 'mimamori@mimamori.example',
      subject: '新しい端末について',
      text: '監視対象の端末を追加したい。',
      headers,
    });
    const listed = await until('it is listed', async () => {
      const { body } = await house.get(`/v1/inquiries?customer=${customer}&state=open`);
      return body.items.find(({ subject }: { subject: string }) => subject === '新しい端末について');
    });
    assert.deepEqual([listed.incidentId, listed.from], [null, 'suzuki@acme.example']);
    const path = inquiryPath(listed.id);
    const answered = await house.post(`${path}/answer`, { text: '追加の手順をお送りします。' });
    assert.equal(answered.status, 200);
    const sent = await mailOf('answered', ({ text }) => text.includes('追加の手順をお送りします。'));
    await answer(sent, '確認しました。', { from: 'suzuki@acme.example' });
    const again = await inquiryWhen(house, listed.id, 'the answer to the answer is in it', ({ mails }) => mails === 2);
    assert.equal(again.conversation[1].newText, '確認しました。');
    assert.equal((await house.post(`${path}/close`, { reason: 'done' })).body.state, 'closed');

    const away = { 'Auto-Submitted': 'auto-replied' };
    const messageId = await answer(sent, '不在です。', { from: 'suzuki@acme.example', headers: away });
    const { noted, ...inquiry } = await inquiryWhen(
      house,
      listed.id,
      'the absence is noted',
      (shown) => shown.noted.length > 0,
    );
    assert.deepEqual(
      noted.map((mail: Reply['body']) => [mail.messageId, mail.nature, mail.words]),
      [[messageId, 'auto-reply', '不在です。']],
    );
    assert.deepEqual([inquiry.state, inquiry.mails, inquiry.waitingSince], ['closed', 2, null]);
    const { body: attention } = await house.get('/v1/mailbox/attention?limit=100');
    assert.equal(
      attention.items.some((item: Reply['body']) => item.messageId === messageId),
      false,
    );
  });
});

describe('a mail to an incident whose workflow has ended', () => {
  let house: House;
  before(async () => {
    house = await House.open({ service: { lingerMs: 0 } });
  });
  after(() => house.close());

  it('is on its record all the same, and waits for an answer', async () => {
    const { id } = await house.alert(house.customer('acme'));
    await house.command(id, 'triage', verdict(2));
    const mail = await until('escalated', async () => (await house.mails(id))[0]);
    await house.incidentWhen(id, 'told', ({ stage }) => stage === 'notified');
    await house.command(id, 'close', { reason: 'cleaned' });
    const { runId } = await until('ended', async () => {
      const description = await house.client.workflow.getHandle(id).describe();
      return description.status.name === 'COMPLETED' ? description : undefined;
    });
    const reply = await house.handIn(
      [
        'From: sato@acme.example',
        `In-Reply-To: ${mail.headers['message-id'] ?? ''}`,
        'Message-ID: <late@acme.example>',
        'Subject: Re: late',
        '',
        'Which program was it?',
      ].join('\r\n'),
    );
    assert.deepEqual([reply.status, reply.body.is], [200, 'inquiry'], JSON.stringify(reply.body));
    const late = await house.incidentWhen(id, 'it is there', ({ customerMails }) => customerMails.length === 1);
    assert.deepEqual([late.stage, late.customerMails[0].words], ['closed', 'Which program was it?']);
    const again = await house.client.workflow.getHandle(id).describe();
    assert.notEqual(again.runId, runId);
    const path = inquiryPath(reply.body.workflowId);
    assert.equal((await house.get(path)).body.state, 'open');
  });
});
