import assert from 'node:assert/strict';
import { answer, escalated } from '../support/customer-mail.js';
import { assertRefused } from '../support/effects.js';
import { House, verdict, type Reply } from '../support/house.js';

const WORDS = '隔離を解除してください';

describe('a mail that has given a device back', () => {
  let house: House;
  before(async () => {
    house = await House.open({ mailbox: true });
  });
  after(() => house.close());

  const release = (id: string, mail: string): Promise<Reply> =>
    house.post(`/v1/incidents/${encodeURIComponent(id)}/release`, { instruction: { mail } });
  const isolated = (id: string) => house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release');
  const mailOn = (id: string, messageId: string) =>
    house.incidentWhen(id, `${messageId} is there`, ({ customerMails }) =>
      customerMails.some((mail: Reply['body']) => mail.messageId === messageId),
    );

  it('gives back nothing that was isolated since: that needs another', async () => {
    const { id, mail } = await escalated(house, house.customer('acme'), 3);
    await isolated(id);
    const { messageId } = await answer(house, mail, { text: WORDS });
    await mailOn(id, messageId);
    assert.equal((await release(id, messageId)).status, 200);
    const given = await house.incidentWhen(id, 'released', ({ stage }) => stage === 'notified');
    const devices = given.devices.map(({ machineId, name }: Reply['body']) => ({ machineId, name }));
    const again = verdict(4, { analysis: 'It came back.', devices });
    await house.command(id, 'triage', again, { headers: { 'If-Match': `"${given.revision}"` } });
    const { attention } = await isolated(id);
    assert.equal(attention.includes('may-be-release-instruction'), false);
    assertRefused(await release(id, messageId), 409, 'nothing-to-release');
    assert.equal((await house.incident(id)).stage, 'awaiting-release');
    const next = await answer(house, mail, { text: WORDS });
    await mailOn(id, next.messageId);
    assert.equal((await release(id, next.messageId)).status, 200);
  });
});
