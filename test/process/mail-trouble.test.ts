import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { until } from '../../simulator/testing.js';
import { calm, customerMails, duty, englishCustomer, judgeAgain, mailOf, timelineOf } from '../support/effects.js';
import { House, verdict } from '../support/house.js';

const CUSTOMERS = 12;

describe('a mail server that makes trouble', () => {
  let house: House;
  let next = 0;
  before(async () => {
    const suffix = randomUUID().slice(0, 8);
    house = await House.open({
      customers: Array.from({ length: CUSTOMERS }, (_, index) =>
        englishCustomer(`mail${index}-${suffix}`, index, {
          mail: { to: [addressOf(index)], cc: [`boss-${index}@globex.example`] },
        }),
      ),
    });
  });
  after(() => house.close());

  function addressOf(index: number): string {
    return `security-${index}@globex.example`;
  }

  /** A customer whose mailbox nobody else uses. */
  function newCustomer(): { customer: string; address: string } {
    const index = next;
    next += 1;
    return { customer: house.customers[index]?.id ?? '', address: addressOf(index) };
  }

  function fault(address: string, more: Record<string, unknown>): Promise<unknown> {
    return house.control('POST', '/sim/faults', { target: 'smtp', path: address, ...more });
  }

  function mailbox(address: string, rejects: number | null): Promise<unknown> {
    return house.control('PUT', `/sim/mailboxes/${address}`, { rejects });
  }

  /** What the server answered to each try to hand over a mail to that address. */
  async function tries(address: string): Promise<(number | null)[]> {
    const { items } = await house.control('GET', '/sim/requests?target=smtp');
    const requests = z.array(z.object({ path: z.string(), status: z.number().nullable() })).parse(items);
    return requests.flatMap(({ path, status }) => (path.split(',').includes(address) ? [status] : []));
  }

  async function judged(customer: string, level: 2 | 3 = 2): Promise<string> {
    const { id } = await house.alert(customer);
    await house.command(id, 'triage', verdict(level));
    return id;
  }

  const mailIs = (id: string, status: string) =>
    house.incidentWhen(id, `mail ${status}`, (incident) => duty(incident, 'mail:primary')?.['status'] === status);

  it('that refuses for a while gets the mail again until it takes it', async () => {
    const { customer, address } = newCustomer();
    await fault(address, { status: 451, times: 2 });
    const id = await judged(customer);
    await until('a first refusal', async () => ((await tries(address)).includes(451) ? true : undefined));
    assert.equal((await house.incident(id)).stage, 'responding');
    const done = await mailIs(id, 'done');
    assert.deepEqual(await tries(address), [451, 451, 250]);
    const [mail, ...more] = await house.mails(id);
    assert.ok(mail !== undefined && more.length === 0, 'one mail');
    const entry = timelineOf(done, 'mail').at(-1);
    assert.equal(entry?.data?.messageId, mail.headers['message-id']);
    assert.deepEqual(done.attention, []);
  });

  it('that refuses for good is an analyst’s business, who has it tried again', async () => {
    const { customer, address } = newCustomer();
    await fault(address, { status: 554, times: 1 });
    const id = await judged(customer);
    const failed = await mailIs(id, 'failed');
    assert.equal(duty(failed, 'mail:primary')?.['reason'], 'mail-rejected');
    assert.deepEqual(failed.attention, ['mail-rejected']);
    assert.match(timelineOf(failed, 'mail')[0]?.text.en ?? '', /refused a mail for good.*554/);
    await calm(house);
    assert.deepEqual(await house.mailKinds(id), ['soc-failure']);
    assert.match((await mailOf(house, id, 'soc-failure')).text, /customer has not been told/);

    await house.command(id, 'triage', verdict(2));
    const done = await mailIs(id, 'done');
    assert.deepEqual(done.attention, []);
    await calm(house);
    assert.deepEqual((await customerMails(house, id)).length, 1);
  });

  it('that cuts the connection after taking the mail gets it once more, as the same mail', async () => {
    const { customer, address } = newCustomer();
    await fault(address, { dropAfterAccept: true, times: 2 });
    const id = await judged(customer);
    const done = await mailIs(id, 'done');
    const mails = await house.mails(id);
    assert.equal(mails.length, 3);
    assert.equal(new Set(mails.map(({ headers }) => headers['message-id'])).size, 1);
    assert.equal(new Set(mails.map(({ text }) => text)).size, 1);
    const cut = timelineOf(done, 'mail').filter(({ text }) => text.en.includes('connection was cut'));
    // Told once: a server that goes on so must not fill the record.
    assert.equal(cut.length, 1);
  });

  it('for one customer does not delay the mail of another', async () => {
    const dead = newCustomer();
    const well = newCustomer();
    await mailbox(dead.address, 451);
    await mailbox(`boss-${dead.address.slice('security-'.length)}`, 451);
    const waiting = await Promise.all(Array.from({ length: 5 }, () => judged(dead.customer)));
    await until('tries', async () => ((await tries(dead.address)).length >= 5 ? true : undefined));
    const id = await judged(well.customer);
    const startedMs = Date.now();
    await mailIs(id, 'done');
    assert.ok(Date.now() - startedMs < 10_000, 'the mail waited for somebody else’s mailbox');
    for (const other of waiting) {
      assert.equal(duty(await house.incident(other), 'mail:primary')?.['status'], 'running');
    }
    await mailbox(dead.address, null);
    for (const other of waiting) await mailIs(other, 'done');
  });

  it('for one customer’s mails that hang does not delay the mail of another', async () => {
    const slow = newCustomer();
    const well = newCustomer();
    await fault(slow.address, { delayMs: 6_000, times: 4 });
    const waiting = await Promise.all(Array.from({ length: 4 }, () => judged(slow.customer)));
    await until('deliveries that hang', async () => ((await tries(slow.address)).length >= 2 ? true : undefined));
    const id = await judged(well.customer);
    const startedMs = Date.now();
    await mailIs(id, 'done');
    assert.ok(Date.now() - startedMs < 4_500, 'the mail waited for somebody else’s mailbox');
    for (const other of waiting) await mailIs(other, 'done');
  });

  it('until the all-clear tells nobody of a threat, also not afterwards', async () => {
    const { customer, address } = newCustomer();
    const boss = `boss-${address.slice('security-'.length)}`;
    await mailbox(address, 451);
    await mailbox(boss, 451);
    const id = await judged(customer);
    await until('a first refusal', async () => ((await tries(address)).includes(451) ? true : undefined));
    await judgeAgain(house, id, verdict(1));
    const closed = await house.incidentWhen(id, 'closed', ({ stage }) => stage === 'closed');
    assert.equal(closed.closeReason, 'no-threat');
    assert.ok(timelineOf(closed, 'mail').some(({ text }) => text.en.startsWith('Mail withdrawn before it was sent')));
    const before = (await tries(address)).length;
    await mailbox(address, null);
    await mailbox(boss, null);
    await calm(house);
    assert.equal((await tries(address)).length, before);
    assert.deepEqual(await house.mailKinds(id), []);
  });

  it('that may have taken the mail before the all-clear makes the all-clear a mail of its own', async () => {
    const { customer, address } = newCustomer();
    await fault(address, { dropAfterAccept: true, times: 1 });
    const id = await judged(customer);
    await house.incidentWhen(id, 'cut', ({ timeline }) => timelineOf({ timeline }, 'mail').length > 0);
    await judgeAgain(house, id, verdict(1));
    const closed = await house.incidentWhen(id, 'closed', ({ stage }) => stage === 'closed');
    assert.equal(closed.closeReason, 'no-threat');
    assert.equal((await house.mailKinds(id)).at(-1), 'secondary');
    assert.match((await mailOf(house, id, 'secondary')).text, /found no problem/);
  });

  it('that refuses one of several recipients is named on the timeline', async () => {
    const { customer, address } = newCustomer();
    const boss = `boss-${address.slice('security-'.length)}`;
    await mailbox(boss, 550);
    const id = await judged(customer);
    const done = await mailIs(id, 'done');
    const entry = timelineOf(done, 'mail').at(-1);
    assert.match(entry?.text.en ?? '', new RegExp(`refused for ${boss}`));
    assert.equal(entry?.data?.rejected[0].address, boss);
    assert.deepEqual((await mailOf(house, id, 'primary')).to, [address]);
  });
});
