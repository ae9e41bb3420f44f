import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, unlinkSync, unwatchFile, watchFile, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { until } from '../../simulator/testing.js';
import { loadCustomers } from '../../src/config.js';
import { followCustomersFile, watchCustomers } from '../../src/customers-file.js';
import { feedWorkflowId } from '../../src/domain/feed/view.js';
import { createMailSender, type MailSender } from '../../src/integrations/mail/sender.js';
import { createPolicies } from '../../src/policy.js';
import { ensureFeeds } from '../../src/temporal/feeds.js';
import { House, polledCustomers, SERVICE, type SimMail } from '../support/house.js';

const LOOK_EVERY_MS = 50;

describe('the customers file', function () {
  this.timeout(60_000);
  let folder = '';
  let file = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'mimamori-customers-'));
    file = join(folder, 'customers.yaml');
  });
  after(() => rmSync(folder, { recursive: true }));

  const textOf = (customers: unknown): string => JSON.stringify({ customers });

  describe('that changes while the service runs', () => {
    let house: House;
    let mail: MailSender;
    let stop: () => void;
    const [acme, globex, initech] = polledCustomers();
    assert.ok(acme !== undefined && globex !== undefined && initech !== undefined);
    before(async () => {
      writeFileSync(file, textOf([acme, globex]));
      house = await House.open({ customers: [acme, globex], feeds: true });
      mail = createMailSender({ smtpUrl: house.sim.smtpUrl, from: 'Mimamori <mimamori@mimamori.example>' });
      const { policies } = house;
      const log = pino({ level: 'silent' });
      stop = followCustomersFile(
        file,
        { policies, mail, log, changed: () => void ensureFeeds(house, policies.customerIds()) },
        { lookEveryMs: LOOK_EVERY_MS },
      );
    });
    after(async () => {
      stop();
      mail.close();
      await house.close();
    });

    const statusOf = async (id: string): Promise<string> => {
      const description = await house.client.workflow.getHandle(feedWorkflowId(id)).describe();
      return description.status.name;
    };
    const refusals = async (): Promise<SimMail[]> =>
      (await house.mails()).filter(({ subject }) => subject.includes('Customers file refused'));
    const toldOf = (words: RegExp) =>
      until('the SOC is told', async () => (await refusals()).find(({ text }) => words.test(text)), 20_000);

    it('has a new customer read by a feed, and ends that of one who has left', async () => {
      assert.equal(await statusOf(globex.id), 'RUNNING');
      writeFileSync(file, textOf([acme, initech]));
      await until('the feeds are as the file says', async () => {
        if (house.policies.find(initech.id) === undefined) return undefined;
        const [left, came] = [await statusOf(globex.id), await statusOf(initech.id).catch(() => 'none')];
        return left === 'COMPLETED' && came === 'RUNNING' ? true : undefined;
      });
      assert.deepEqual(house.policies.customerIds(), [acme.id, initech.id]);
    });

    it('is refused whole where an entry is bad: the customers of before stay, and the SOC reads every problem', async () => {
      writeFileSync(file, textOf([acme, { ...globex, timeZone: 'Nowhere' }, { ...initech, contacts: [{ id: '' }] }]));
      const told = await toldOf(/timeZone/);
      assert.deepEqual(told.to, [SERVICE.socMailTo]);
      assert.match(told.text, /customers\[1\]\.timeZone[\s\S]*customers\[2\]\.contacts/);
      assert.deepEqual(house.policies.customerIds(), [acme.id, initech.id]);
      assert.equal(await statusOf(initech.id), 'RUNNING');
    });

    it('is told of also where the mail server is down at first', async () => {
      await house.control('POST', '/sim/faults', { target: 'smtp', times: 2, status: 451 });
      writeFileSync(file, 'customers: nobody\n');
      await toldOf(/customers: /);
      assert.deepEqual(house.policies.customerIds(), [acme.id, initech.id]);
    });

    it('is in force once it is mended', async () => {
      writeFileSync(file, textOf([acme]));
      await until('mended', () => Promise.resolve(house.policies.customerIds().length === 1 ? true : undefined));
      assert.equal((await refusals()).length, 2);
    });
  });

  it('that has changed since the customers were read, before it was watched, is read again', async () => {
    const [acme, globex] = polledCustomers();
    assert.ok(acme !== undefined && globex !== undefined);
    writeFileSync(file, textOf([acme]));
    const policies = createPolicies(loadCustomers(file), SERVICE);
    writeFileSync(file, textOf([acme, globex]));
    let changes = 0;
    const told = { changed: () => (changes += 1), refused: ({ message }: Error) => assert.fail(message) };
    const stop = watchCustomers(file, policies, told, { lookEveryMs: LOOK_EVERY_MS });
    await until('in force', () => (policies.find(globex.id) === undefined ? undefined : true));
    stop();
    assert.equal(changes, 1);
  });

  describe('that is being written', () => {
    const [acme, globex] = polledCustomers();
    assert.ok(acme !== undefined && globex !== undefined);
    const policies = createPolicies([], SERVICE);
    const refused: string[] = [];
    let stop: () => void;
    before(() => {
      writeFileSync(file, textOf([acme]));
      stop = watchCustomers(
        file,
        policies,
        { changed: () => undefined, refused: ({ message }) => refused.push(message) },
        { lookEveryMs: LOOK_EVERY_MS },
      );
    });
    after(() => stop());

    /** Resolves as soon as the watch has looked at what `change` has made of the file; nothing else has run since. */
    async function lookedAt(change: () => void): Promise<void> {
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          unwatchFile(file, listener);
          resolve();
        };
        watchFile(file, { interval: LOOK_EVERY_MS }, listener);
        change();
      });
    }

    it('is not refused for what is half of it, nor while it is away for a moment', async () => {
      const whole = textOf([acme, globex]);
      await lookedAt(() => writeFileSync(file, whole.slice(0, whole.length / 2)));
      writeFileSync(file, whole);
      await until('in force', () => Promise.resolve(policies.customerIds().length === 2 ? true : undefined));

      const next = join(folder, 'next.yaml');
      writeFileSync(next, textOf([globex]));
      await lookedAt(() => unlinkSync(file));
      await lookedAt(() => renameSync(next, file));
      await until('in force', () => Promise.resolve(policies.customerIds().length === 1 ? true : undefined));
      assert.deepEqual(refused, []);
    });

    it('is refused once it stays away', async () => {
      unlinkSync(file);
      await until('refused', () => Promise.resolve(refused.length > 0 ? true : undefined));
      assert.match(refused.join(), /customers\.yaml is not usable[\s\S]*no such file/);
      assert.deepEqual(policies.customerIds(), [globex.id]);
    });
  });
});
