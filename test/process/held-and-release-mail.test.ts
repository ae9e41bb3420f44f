import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import {
  answer,
  escalated,
  heldPath,
  heldWhen,
  inquiryOf,
  inquiryPath,
  inquiryWhen,
  PASSED,
  tokenAddress,
  type Escalated,
} from '../support/customer-mail.js';
import { assertRefused } from '../support/effects.js';
import { House, instruction, verdict, type Reply, type SimMail } from '../support/house.js';

const WORDS = '隔離を解除してください';

describe('held mails and instructions by mail', () => {
  let house: House;
  let acme = '';
  let globex = '';
  before(async () => {
    house = await House.open({ mailbox: true });
    acme = house.customer('acme');
    globex = house.customer('globex');
  });
  after(() => house.close());

  const release = (id: string, instruction: unknown): Promise<Reply> =>
    house.post(`/v1/incidents/${encodeURIComponent(id)}/release`, { instruction });

  async function mailOn(id: string, messageId: string): Promise<Reply['body']> {
    const { customerMails } = await house.incidentWhen(id, `${messageId} is there`, ({ customerMails: mails }) =>
      mails.some((mail: Reply['body']) => mail.messageId === messageId),
    );
    return customerMails.find((mail: Reply['body']) => mail.messageId === messageId);
  }

  function kindSent(id: string, kind: string): Promise<SimMail> {
    return until(`${kind} of ${id}`, async () =>
      (await house.mails(id)).find(({ headers }) => headers['x-mimamori-kind'] === kind),
    );
  }

  const isShown = ({ attention }: Reply['body']): boolean => attention.includes('held-mail');

  describe('a held mail', () => {
    it('is accepted: its inquiry has it, the answer goes to registered addresses only, and it proves nothing', async () => {
      const { id, mail } = await isolated();
      const { messageId } = await answer(house, mail, { from: 'yamada@acme.example', text: WORDS });
      const held = await heldWhen(house, messageId);
      assert.deepEqual([held.reason, held.customerId], ['not-this-customers-address', acme]);
      await house.incidentWhen(id, 'shows that it waits', isShown);
      const accepted = await house.post(heldPath(held.id, 'accept'), { conversationOf: id, reason: '電話で確認' });
      assert.deepEqual([accepted.status, accepted.body.state], [200, 'accepted'], JSON.stringify(accepted.body));
      await house.incidentWhen(id, 'shows it no more', (incident) => !isShown(incident));
      const shown = await mailOn(id, messageId);
      assert.deepEqual([shown.acceptedBy, shown.isAuthenticated, shown.contactId], ['analyst', false, null]);

      assertRefused(await release(id, { mail: messageId }), 422, 'call-back-needed', 'instruction.by');
      await house.post(inquiryPath(inquiryOf(id), 'answer'), { text: '折り返しお電話します。' });
      const reply = await kindSent(id, 'inquiry-answer');
      assert.deepEqual([reply.to, reply.cc], [['security@acme.example'], []]);
      assert.equal(reply.headers['in-reply-to'], messageId);
      const again = await house.post(heldPath(held.id, 'dismiss'), { reason: 'x' });
      assertRefused(again, 409, 'mail-settled');
    });

    it('without a sender is accepted too, and not lost', async () => {
      const { id, mail } = await escalated(house, acme);
      const messageId = '<two-senders@acme.example>';
      const lines = [PASSED, `Message-ID: ${messageId}`, 'From: sato@acme.example', 'From: eve@evil.example'];
      await house.control('POST', '/sim/mails', {
        raw: [...lines, `To: ${tokenAddress(mail)}`, 'Subject: Re: two', '', 'two senders', ''].join('\n'),
      });
      const held = await heldWhen(house, messageId);
      await house.post(heldPath(held.id, 'accept'), { conversationOf: id, reason: 'ours' });
      const inquiry = await inquiryWhen(house, inquiryOf(id), 'has it', ({ mails }) => mails === 1);
      assert.equal(inquiry.conversation[0].newText, 'two senders');
      assert.equal((await mailOn(id, messageId)).isAuthenticated, false);
    });

    it('begins an inquiry of the customer it is accepted for: a colleague’s first question', async () => {
      const { messageId } = await house.control('POST', '/sim/mails', {
        from: 'colleague@elsewhere.example',
        subject: '初めまして',
        text: '端末の追加について教えてください。',
      });
      const held = await heldWhen(house, messageId);
      assert.equal(held.customerId, null);
      const unknown = await house.post(heldPath(held.id, 'accept'), { customerId: 'nobody', reason: 'x' });
      assertRefused(unknown, 404, 'unknown-customer');
      const accepted = await house.post(heldPath(held.id, 'accept'), { customerId: acme, reason: '電話で確認' });
      assert.deepEqual([accepted.status, accepted.body.state], [200, 'accepted'], JSON.stringify(accepted.body));
      const { inquiryId } = accepted.body.settled;
      const inquiry = await inquiryWhen(house, inquiryId, 'has it', ({ mails }) => mails === 1);
      assert.deepEqual(
        [inquiry.customerId, inquiry.incidentId, inquiry.state, inquiry.conversation[0].acceptedBy],
        [acme, null, 'open', 'analyst'],
      );
      await house.post(inquiryPath(inquiryId, 'answer'), { text: '手順をお送りします。' });
      await until('the customer is answered', async () =>
        (await house.mails()).find(({ headers, to }) => headers['in-reply-to'] === messageId && to.length === 1),
      );
    });

    it('is dismissed, and is no mail of any incident', async () => {
      const { id, mail } = await escalated(house, acme);
      const { messageId } = await answer(house, mail, { from: 'eve@evil.example', text: 'hi' });
      const held = await heldWhen(house, messageId);
      const { timeline } = await house.incidentWhen(id, 'shows that it waits', isShown);
      const [entry, ...more] = timeline.filter(({ type }: { type: string }) => type === 'held-mail');
      assert.deepEqual([entry.data.heldId, more.length], [held.id, 0]);
      const dismissed = await house.post(heldPath(held.id, 'dismiss'), { reason: 'spam' });
      assert.deepEqual([dismissed.status, dismissed.body.state], [200, 'dismissed']);
      await until('no longer listed', async () => {
        const { body } = await house.get('/v1/mailbox/attention?limit=100');
        return body.items.some((item: Reply['body']) => item.id === held.id) ? undefined : true;
      });
      const { body } = await house.get('/v1/mailbox/attention?state=dismissed');
      assert.ok(body.items.some((item: Reply['body']) => item.id === held.id));
      const after = await house.incidentWhen(id, 'shows it no more', (incident) => !isShown(incident));
      assert.deepEqual([after.customerMails, after.attention], [[], []]);
    });

    it('whose settling is sent again under its key is answered as the first time, even after the end', async () => {
      const { mail } = await escalated(house, acme);
      const { messageId } = await answer(house, mail, { from: 'eve@evil.example', text: 'hi' });
      const { id } = await heldWhen(house, messageId);
      const dismiss = (reason: string) =>
        house.post(heldPath(id, 'dismiss'), { reason }, { headers: { 'Idempotency-Key': 'dismiss-once' } });
      assert.equal((await dismiss('spam')).status, 200);
      await until('the end', async () => {
        const { status } = await house.client.workflow.getHandle(id).describe();
        return status.name === 'COMPLETED' ? true : undefined;
      });
      const again = await dismiss('spam');
      assert.deepEqual([again.status, again.body.state], [200, 'dismissed'], JSON.stringify(again.body));
      assertRefused(await dismiss('not spam'), 409, 'idempotency-mismatch');
    });

    it('whose workflow was stopped from outside says so', async () => {
      const { mail } = await escalated(house, acme);
      const { messageId } = await answer(house, mail, { from: 'eve@evil.example', text: 'hi' });
      const { id } = await heldWhen(house, messageId);
      await house.client.workflow.getHandle(id).terminate();
      assertRefused(await house.get(heldPath(id)), 409, 'mail-stopped');
      assertRefused(await house.post(heldPath(id, 'dismiss'), { reason: 'spam' }), 409, 'mail-stopped');
    });

    it('and an inquiry of another customer are behind a wall', async () => {
      const ours = await escalated(house, acme);
      const theirs = await escalated(house, globex);
      await answer(house, theirs.mail, { from: 'security@globex.example', text: 'What is this?' });
      await inquiryWhen(house, inquiryOf(theirs.id), 'there', ({ mails }) => mails === 1);
      const nobodys = await house.control('POST', '/sim/mails', {
        from: 'eve@evil.example',
        subject: 'hi',
        text: 'hi',
      });
      const forAll = await heldWhen(house, nobodys.messageId);
      const stray = await answer(house, theirs.mail, { from: 'eve@evil.example', text: 'hi' });
      const ofTheirs = await heldWhen(house, stray.messageId);
      const as = { as: 'bound' } as const;

      const inquiries = await house.get('/v1/inquiries?limit=100', as);
      assert.equal(
        inquiries.body.items.some(({ customerId }: Reply['body']) => customerId !== acme),
        false,
      );
      const asked = await house.get(`/v1/inquiries?customer=${globex}`, as);
      assert.deepEqual(asked.body.items ?? [], []);
      assertRefused(await house.get(inquiryPath(inquiryOf(theirs.id)), as), 404, 'unknown-inquiry');
      for (const [command, body] of [
        ['answer', { text: 'x' }],
        ['close', { reason: 'x' }],
        ['is-answer', {}],
      ] as const)
        assertRefused(await house.post(inquiryPath(inquiryOf(theirs.id), command), body, as), 404, 'unknown-inquiry');
      const listed = await house.get('/v1/mailbox/attention?limit=100', as);
      assert.equal(
        listed.body.items.some(({ customerId }: Reply['body']) => customerId !== acme),
        false,
      );
      for (const { id } of [forAll, ofTheirs]) {
        assertRefused(await house.get(heldPath(id), as), 404, 'unknown-mail');
        assertRefused(await house.post(heldPath(id, 'dismiss'), { reason: 'x' }, as), 404, 'unknown-mail');
        const body = { conversationOf: ours.id, reason: 'mine' };
        assertRefused(await house.post(heldPath(id, 'accept'), body, as), 404, 'unknown-mail');
      }
      // Nor is one of their own passed into another's conversation.
      const own = await answer(house, ours.mail, { from: 'eve@evil.example', text: 'hi' });
      const ofOurs = await heldWhen(house, own.messageId);
      const across = await house.post(heldPath(ofOurs.id, 'accept'), { conversationOf: theirs.id, reason: 'x' }, as);
      assertRefused(across, 422, 'invalid-input', 'conversationOf');
      const other = await house.post(heldPath(ofOurs.id, 'accept'), { customerId: globex, reason: 'x' }, as);
      assertRefused(other, 404, 'unknown-customer');
    });
  });

  async function isolated(customer = acme): Promise<Escalated> {
    const made = await escalated(house, customer, 3);
    await house.incidentWhen(made.id, 'isolated', ({ stage }) => stage === 'awaiting-release');
    return made;
  }

  const deviceStates = async (id: string) =>
    (await house.incident(id)).devices.map(({ state }: { state: string }) => state);

  describe('an instruction by mail', () => {
    it('is offered, and confirmed by one call: on the timeline and in the result’s mail', async () => {
      const { id, mail } = await isolated();
      const { messageId } = await answer(house, mail, { text: WORDS });
      const offered = await house.incidentWhen(id, 'offered', ({ attention }) =>
        attention.includes('may-be-release-instruction'),
      );
      const [shown] = offered.customerMails;
      assert.deepEqual(
        shown.mayBe.map(({ kind }: { kind: string }) => kind),
        ['release-instruction'],
      );
      assert.equal(offered.stage, 'awaiting-release');
      const released = await release(id, { mail: messageId });
      assert.equal(released.status, 200, JSON.stringify(released.body));
      const after = await house.incidentWhen(id, 'released', ({ stage }) => stage !== 'awaiting-release');
      assert.equal(after.attention.includes('may-be-release-instruction'), false);
      const entry = after.timeline.find(({ type }: { type: string }) => type === 'instruction');
      assert.match(entry.text.ja, /佐藤/);
      const { by, receivedAt, words, mail: of } = entry.data.instruction;
      assert.deepEqual([by, receivedAt, words, of.messageId], ['sato', shown.receivedAt, WORDS, messageId]);
      const result = await kindSent(id, 'release-result');
      assert.match(result.text, /佐藤/);
      assert.match(result.text, /メール/);
    });

    it('that has not proved its sender changes nothing before a call back', async () => {
      const { id, mail } = await isolated();
      const messageId = '<unproved@acme.example>';
      const lines = [`Message-ID: ${messageId}`, 'From: sato@acme.example', `To: ${tokenAddress(mail)}`];
      await house.control('POST', '/sim/mails', {
        raw: [...lines, 'Subject: x', '', WORDS, '']
          .join('\n')
          .replace('\n\n', '\nContent-Type: text/plain; charset=utf-8\n\n'),
      });
      assert.equal((await mailOn(id, messageId)).isAuthenticated, false);
      const before = await deviceStates(id);
      assertRefused(await release(id, { mail: messageId }), 422, 'call-back-needed', 'instruction.by');
      assertRefused(await release(id, { mail: messageId, by: 'sato' }), 422, 'call-back-needed', 'instruction.by');
      assertRefused(
        await release(id, { mail: messageId, by: 'tanaka', calledBackAt: new Date().toISOString() }),
        422,
        'unknown-instructor',
        'instruction.by',
      );
      assertRefused(await release(id, { mail: '<other@acme.example>' }), 404, 'unknown-mail', 'instruction.mail');
      assert.deepEqual(await deviceStates(id), before);
      const calledBackAt = new Date().toISOString();
      const released = await release(id, { mail: messageId, by: 'sato', calledBackAt });
      assert.equal(released.status, 200, JSON.stringify(released.body));
      const after = await house.incidentWhen(id, 'released', ({ stage }) => stage !== 'awaiting-release');
      assert.ok(JSON.stringify(after.timeline).includes(calledBackAt), 'the call back is not on the timeline');
    });

    it('stays on offer after an answer, and is not typed past the call back that it needs', async () => {
      const { id, mail } = await isolated();
      const messageId = '<doubtful@acme.example>';
      const lines = [`Message-ID: ${messageId}`, 'From: sato@acme.example', `To: ${tokenAddress(mail)}`];
      const raw = [...lines, 'Subject: x', '', 'Please release the device from isolation.', ''].join('\n');
      await house.control('POST', '/sim/mails', { raw });
      const { key } = await mailOn(id, messageId);
      await house.post(inquiryPath(inquiryOf(id), 'answer'), { text: '確認中です。' });
      const answered = await house.incidentWhen(id, 'answered', ({ inquiry }) => inquiry?.state === 'answered');
      assert.deepEqual(answered.attention, ['may-be-release-instruction']);
      const [shown] = answered.customerMails;
      assert.deepEqual([shown.isOffered, shown.needsCallBack], [true, true]);

      const [{ machineId }] = answered.devices;
      const device = `/v1/devices/${acme}/${machineId}/release`;
      const typed = instruction();
      assertRefused(await release(id, typed), 422, 'call-back-needed', 'instruction.calledBackAt');
      const onDevice = (given: unknown) => house.post(device, { instruction: given });
      assertRefused(await onDevice(typed), 422, 'call-back-needed', 'instruction.calledBackAt');
      assertRefused(await onDevice({ mail: key }), 422, 'call-back-needed', 'instruction.by');
      assertRefused(await onDevice({ mail: '<other@acme.example>' }), 404, 'unknown-mail', 'instruction.mail');
      // Nor past the API.
      await house.client.workflow.getHandle(id).signal('release', { instruction: typed });
      const refused = await house.incidentWhen(id, 'not taken', ({ attention }) =>
        attention.includes('rejected-signal'),
      );
      assert.match(JSON.stringify(refused.timeline), /call-back-needed/);
      assert.equal(refused.stage, 'awaiting-release');
      await house.command(id, 'notes', { text: 'seen' });

      const headers = { 'Idempotency-Key': 'by-the-mail' };
      const named = { instruction: { mail: key, by: 'sato', calledBackAt: new Date().toISOString() } };
      const released = await house.post(device, named, { headers });
      assert.equal(released.status, 200, JSON.stringify(released.body));
      const after = await house.incidentWhen(id, 'released', ({ stage }) => stage !== 'awaiting-release');
      assert.ok(JSON.stringify(after.timeline).includes(messageId), 'the mail is not on the timeline');
      await house.incidentWhen(id, 'no longer offered', ({ attention }) => attention.length === 0);
      const again = await house.post(device, named, { headers });
      assert.deepEqual([again.status, again.body], [200, released.body]);
    });

    it('to a linked incident is not typed past the mail in its lead’s conversation', async () => {
      const { id, mail } = await isolated();
      const machineId = 'machine-of-linked';
      const other = (await house.alert(acme, { machineId, computerDnsName: 'pc-l.acme.example' })).id;
      await house.command(other, 'link', { leadIncidentId: id });
      await house.command(other, 'triage', verdict(3));
      await house.incidentWhen(other, 'isolated', ({ stage }) => stage === 'awaiting-release');
      await answer(house, mail, { from: 'tanaka@acme.example', text: WORDS });
      await house.incidentWhen(id, 'offered', ({ attention }) => attention.includes('may-be-release-instruction'));
      assertRefused(await release(other, instruction()), 422, 'call-back-needed', 'instruction.calledBackAt');
      const called = instruction({ calledBackAt: new Date().toISOString() });
      assert.equal((await release(other, called)).status, 200);
    });

    it('without a Message-ID is named by its key', async () => {
      const { id, mail } = await isolated();
      const lines = [PASSED, 'From: sato@acme.example', `To: ${tokenAddress(mail)}`];
      const raw = [...lines, 'Subject: x', '', 'Please release the device.', ''].join('\n');
      await house.control('POST', '/sim/mails', { raw });
      const { customerMails } = await house.incidentWhen(id, 'there', ({ customerMails: mails }) => mails.length === 1);
      const [{ key, messageId }] = customerMails;
      assert.equal(messageId, null);
      const released = await release(id, { mail: key });
      assert.equal(released.status, 200, JSON.stringify(released.body));
    });

    it('that is forged is held, and cannot be named', async () => {
      const { id, mail } = await isolated();
      const { messageId } = await answer(house, mail, { text: WORDS, authenticated: false });
      assert.equal((await heldWhen(house, messageId)).reason, 'authentication-failed');
      assertRefused(await release(id, { mail: messageId }), 404, 'unknown-mail', 'instruction.mail');
      const { stage, attention, customerMails } = await house.incidentWhen(id, 'shows that it waits', isShown);
      assert.deepEqual([stage, attention, customerMails], ['awaiting-release', ['held-mail'], []]);
    });

    it('of a contact who may not instruct needs a call back of one who may', async () => {
      const { id, mail } = await isolated();
      const { messageId } = await answer(house, mail, { from: 'tanaka@acme.example', text: WORDS });
      assert.equal((await mailOn(id, messageId)).contactId, 'tanaka');
      assertRefused(await release(id, { mail: messageId }), 422, 'call-back-needed', 'instruction.by');
      const released = await release(id, { mail: messageId, by: 'suzuki', calledBackAt: new Date().toISOString() });
      assert.equal(released.status, 200, JSON.stringify(released.body));
    });

    it('is not believed for another mail under its Message-ID', async () => {
      const { id, mail } = await isolated();
      const messageId = '<one-id@acme.example>';
      await answer(house, mail, { messageId, text: '質問です。' });
      await mailOn(id, messageId);
      const lines = [`Message-ID: ${messageId}`, 'From: sato@acme.example', `To: ${tokenAddress(mail)}`];
      await house.control('POST', '/sim/mails', {
        raw: [...lines, 'Subject: Re', '', 'Please release the device.', ''].join('\n'),
      });
      await house.incidentWhen(id, 'both', ({ customerMails }) => customerMails.length === 2);
      assertRefused(await release(id, { mail: messageId }), 422, 'call-back-needed', 'instruction.by');
      assert.equal((await house.incident(id)).stage, 'awaiting-release');
    });

    it('to the lead gives back the devices of those that are told of in its thread', async () => {
      const { id, mail } = await isolated();
      const other = (await house.alert(acme, { machineId: 'machine-follower', computerDnsName: 'pc-f.acme.example' }))
        .id;
      await house.command(other, 'link', { leadIncidentId: id });
      await house.command(other, 'triage', verdict(3));
      await house.incidentWhen(other, 'isolated', ({ stage }) => stage === 'awaiting-release');
      const { messageId } = await answer(house, mail, { text: WORDS });
      await mailOn(id, messageId);
      const released = await release(id, { mail: messageId });
      assert.equal(released.status, 200, JSON.stringify(released.body));
      for (const each of [id, other])
        await house.incidentWhen(each, 'released', ({ stage }) => stage !== 'awaiting-release');
      const { timeline } = await house.incident(other);
      assert.ok(JSON.stringify(timeline).includes(messageId), 'the follower does not know the mail');
    });
  });
});
