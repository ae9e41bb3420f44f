import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { until } from '../../simulator/testing.js';
import { DAY_MS } from '../../src/domain/time.js';
import {
  answer,
  escalated,
  heldPath,
  heldWhen,
  inquiryOf,
  inquiryPath,
  inquiryWhen,
} from '../support/customer-mail.js';
import { actionIs, actionsOf, isCutOff, newDevice, toldAndRequested } from '../support/devices.js';
import { customerMails, duty, jones, judgeAgain } from '../support/effects.js';
import { verdict, type House, type Reply } from '../support/house.js';

/*
 * Lives that are interrupted half way by a new version: each is brought into a stage, and later to a good end, both as an
 * analyst and the customer would see it.
 */

/** What stands half way. */
export interface Standing {
  incidents: readonly string[];
  /** Brings it to its end, and asserts what was done to the world outside. */
  end: () => Promise<void>;
}

/** Each life has a customer of its own, so that none waits for what Defender allows in a tenant. */
export interface Place {
  house: House;
  customer: string;
  /** Tells the lives of one scene apart. */
  serial: number;
}

export type Scene = (place: Place) => Promise<Standing>;

const PATIENCE_MS = 30_000;
const POLL_MS = 100;

function customerNamed(house: House, customer: string): House['customers'][number] {
  const found = house.customers.find(({ id }) => id === customer);
  assert.ok(found);
  return found;
}

function addressOf(house: House, customer: string): string {
  return customerNamed(house, customer).mail.to[0] ?? '';
}

/** Asks ten times a second: many lives are lived at once, and each question is a task for a worker. */
async function when(
  house: House,
  id: string,
  what: string,
  holds: (incident: Reply['body']) => boolean,
): Promise<Reply['body']> {
  return until(
    `${id}: ${what}`,
    async () => {
      const incident = await house.incident(id);
      if (holds(incident)) return incident;
      await pause(POLL_MS);
      return undefined;
    },
    PATIENCE_MS,
  );
}

function staged(house: House, id: string, ...stages: string[]): Promise<Reply['body']> {
  return when(house, id, stages.join(' or '), ({ stage }) => stages.includes(stage));
}

async function kindsOf(house: House, id: string): Promise<(string | undefined)[]> {
  return (await customerMails(house, id)).map(({ headers }) => headers['x-mimamori-kind']);
}

async function opened(house: House, customer: string, machineId: string, more: Record<string, unknown> = {}) {
  const { id } = await house.alert(customer, { machineId, ...more });
  await staged(house, id, 'awaiting-triage');
  return id;
}

async function isolated(house: House, customer: string, machineId: string): Promise<string> {
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(3));
  await staged(house, id, 'awaiting-release');
  return id;
}

/** Given back and closed: the customer has the confirmation, and the device is on the network again. */
async function released(house: House, id: string, customer: string, machineIds: readonly string[]): Promise<void> {
  await house.command(id, 'release', { instruction: jones() });
  await staged(house, id, 'notified');
  for (const machineId of machineIds) {
    assert.equal(await isCutOff(house, customer, machineId), false, `${id}: ${machineId} is on the network`);
    assert.deepEqual(await actionsOf(house, customer, machineId), ['Isolate Succeeded', 'Unisolate Succeeded']);
  }
  assert.ok((await kindsOf(house, id)).includes('release-result'), `${id}: the release is confirmed`);
  await closed(house, id);
}

async function closed(house: House, id: string): Promise<void> {
  await house.command(id, 'close', { reason: 'done' });
  const { closeReason } = await staged(house, id, 'closed');
  assert.equal(closeReason, 'resolved');
}

/** Nobody has judged it: later it comes to each of the four levels. */
const untriaged: Scene = async ({ house, customer, serial }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  return {
    incidents: [id],
    end: async () => {
      const level = z.literal([1, 2, 3, 4]).parse((serial % 4) + 1);
      await house.command(id, 'triage', verdict(level));
      if (level === 1) {
        assert.equal((await staged(house, id, 'closed')).closeReason, 'no-threat');
        assert.deepEqual(await kindsOf(house, id), []);
        return;
      }
      const view = await staged(house, id, level === 2 ? 'notified' : 'awaiting-release');
      assert.equal((await kindsOf(house, id))[0], 'primary');
      if (level === 4) assert.equal(duty(view, 'phone')?.['status'], 'done');
      if (level === 2) await closed(house, id);
      else await released(house, id, customer, [machineId]);
    },
  };
};

const told: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(2));
  await staged(house, id, 'notified');
  return {
    incidents: [id],
    end: async () => {
      await house.command(id, 'escalations', { message: 'More was found.' });
      await staged(house, id, 'notified');
      assert.deepEqual(await kindsOf(house, id), ['primary', 'secondary']);
      await closed(house, id);
    },
  };
};

/** Told, and raised to level 3 by the other version. */
const raised: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(2));
  await staged(house, id, 'notified');
  return {
    incidents: [id],
    end: async () => {
      await judgeAgain(house, id, verdict(3));
      await staged(house, id, 'awaiting-release');
      assert.ok(await isCutOff(house, customer, machineId));
      await released(house, id, customer, [machineId]);
    },
  };
};

const awaitingRelease: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await isolated(house, customer, machineId);
  return { incidents: [id], end: () => released(house, id, customer, [machineId]) };
};

const spreading: Scene = async ({ house, customer }) => {
  const [machineId, other] = [await newDevice(house, customer, {}), await newDevice(house, customer, {})];
  const id = await opened(house, customer, machineId);
  const devices = [{ machineId: other, name: `pc-${other.slice(0, 6)}` }];
  await house.command(id, 'triage', verdict(4, { devices }));
  const view = await staged(house, id, 'awaiting-release');
  assert.equal(duty(view, 'phone')?.['status'], 'done');
  return { incidents: [id], end: () => released(house, id, customer, [machineId, other]) };
};

/** Isolated without prose; the mail is owed. */
const awaitingText: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  const bare = { detection: undefined, analysis: undefined, countermeasures: undefined };
  await house.command(id, 'triage', verdict(3, bare));
  await when(house, id, 'isolated', ({ devices }) => devices[0].isolation === 'isolated');
  return {
    incidents: [id],
    end: async () => {
      await house.command(id, 'triage', verdict(3));
      await staged(house, id, 'awaiting-release');
      assert.equal((await kindsOf(house, id)).filter((kind) => kind === 'primary').length, 1);
      await released(house, id, customer, [machineId]);
    },
  };
};

/** The device is offline: half of them come online, the others are called off. */
const pending: Scene = async ({ house, customer, serial }) => {
  const machineId = await newDevice(house, customer, { online: false });
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(3));
  await toldAndRequested(house, id, machineId);
  await actionIs(house, customer, machineId, 'Isolate Pending');
  return {
    incidents: [id],
    end: async () => {
      if (serial % 2 === 0) {
        await house.machine(customer, machineId, { online: true });
        await staged(house, id, 'awaiting-release');
        await released(house, id, customer, [machineId]);
        return;
      }
      await judgeAgain(house, id, verdict(1));
      await actionIs(house, customer, machineId, 'Isolate Cancelled');
      assert.equal((await staged(house, id, 'closed')).closeReason, 'no-threat');
      assert.deepEqual(await kindsOf(house, id), ['primary', 'secondary']);
    },
  };
};

const asked: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(2, { judgement: 'undetermined', askCustomer: 'Is this tool yours?' }));
  await staged(house, id, 'notified');
  return {
    incidents: [id],
    end: async () => {
      const receivedAt = new Date().toISOString();
      await house.command(id, 'answers', { by: 'Alex Jones', channel: 'mail', receivedAt, words: 'Yes.' });
      assert.equal((await house.incident(id)).questions[0].answer.words, 'Yes.');
      await closed(house, id);
    },
  };
};

const tuning: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(3));
  await staged(house, id, 'notified');
  return {
    incidents: [id],
    end: async () => {
      await house.command(id, 'escalations', { message: 'Nothing more.' });
      await staged(house, id, 'notified');
      assert.deepEqual(await actionsOf(house, customer, machineId), []);
      await closed(house, id);
    },
  };
};

/** A tuning period that was set at run time, and is ended by the other version. */
const tuningAtRunTime: Scene = async ({ house, customer }) => {
  const path = `/v1/customers/${customer}/tuning-periods`;
  const period = { from: new Date().toISOString(), until: '2099-01-01T00:00:00Z', reason: 'They tune.' };
  const { body } = await house.post(path, period);
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(3));
  await staged(house, id, 'notified');
  return {
    incidents: [id],
    end: async () => {
      await house.ask('DELETE', `${path}/${body.id}`, { reason: 'Done.' });
      await when(house, id, 'over', ({ attention }) => attention.includes('tuning-period-over'));
      await judgeAgain(house, id, verdict(3));
      await staged(house, id, 'awaiting-release');
      assert.ok(await isCutOff(house, customer, machineId));
      await house.command(id, 'release', { instruction: jones() });
      await staged(house, id, 'notified');
      await closed(house, id);
    },
  };
};

/** One that is told in the other's conversation. */
const linked: Scene = async ({ house, customer }) => {
  const [leadMachine, machineId] = [await newDevice(house, customer, {}), await newDevice(house, customer, {})];
  const lead = await isolated(house, customer, leadMachine);
  const id = await opened(house, customer, machineId);
  await house.command(id, 'link', { leadIncidentId: lead });
  await house.command(id, 'triage', verdict(3));
  await staged(house, id, 'awaiting-release');
  return {
    incidents: [lead, id],
    end: async () => {
      const machineIds = [leadMachine, machineId];
      await house.command(lead, 'release', { machineIds, instruction: jones() });
      for (const each of [id, lead]) await staged(house, each, 'notified');
      for (const each of machineIds) assert.equal(await isCutOff(house, customer, each), false);
      assert.deepEqual(await kindsOf(house, id), []);
      for (const each of [id, lead]) await closed(house, each);
    },
  };
};

const shared: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const [first, second] = [await isolated(house, customer, machineId), await isolated(house, customer, machineId)];
  return {
    incidents: [first, second],
    end: async () => {
      await house.command(first, 'release', { instruction: jones() });
      await staged(house, first, 'notified');
      assert.ok(await isCutOff(house, customer, machineId), 'the other holds it');
      await closed(house, first);
      await released(house, second, customer, [machineId]);
    },
  };
};

/** Closed, and there for late news. */
const lingering: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(1));
  await staged(house, id, 'closed');
  return {
    incidents: [id],
    end: async () => {
      await house.command(id, 'reopen', { reason: 'news' });
      await judgeAgain(house, id, verdict(2));
      await staged(house, id, 'notified');
      assert.deepEqual(await kindsOf(house, id), ['primary']);
      await closed(house, id);
    },
  };
};

const reopened: Scene = async ({ house, customer }) => {
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(1));
  await staged(house, id, 'closed');
  await house.command(id, 'reopen', { reason: 'news' });
  return {
    incidents: [id],
    end: async () => {
      await judgeAgain(house, id, verdict(3));
      await staged(house, id, 'awaiting-release');
      await released(house, id, customer, [machineId]);
    },
  };
};

/** Ended, as out of scope; its severity is raised while the other version runs. */
const outOfScope: Scene = async ({ house, customer }) => {
  const { id, alert } = await house.alert(customer, {
    machineId: await newDevice(house, customer, {}),
    severity: 'Low',
  });
  await staged(house, id, 'closed');
  return {
    incidents: [id],
    end: async () => {
      const path = `/sim/tenants/${house.tenantOf(customer)}/alerts/${alert.id}`;
      await house.post(`/v1/customers/${customer}/alerts`, await house.control('PATCH', path, { severity: 'High' }));
      await staged(house, id, 'awaiting-triage');
      await house.command(id, 'triage', verdict(1));
      await staged(house, id, 'closed');
    },
  };
};

/** The customer's mail server takes nothing until the other version runs. */
const mailKept: Scene = async ({ house, customer }) => {
  const mailbox = `/sim/mailboxes/${addressOf(house, customer)}`;
  await house.control('PUT', mailbox, { rejects: 451 });
  const id = await opened(house, customer, await newDevice(house, customer, {}));
  await house.command(id, 'triage', verdict(2));
  await when(house, id, 'owed', (view) => duty(view, 'mail:primary')?.['status'] === 'running');
  return {
    incidents: [id],
    end: async () => {
      await house.control('PUT', mailbox, { rejects: null });
      await staged(house, id, 'notified');
      assert.deepEqual(await kindsOf(house, id), ['primary']);
      await closed(house, id);
    },
  };
};

/** The telephone rings on while the versions change. */
const ringing: Scene = async ({ house, customer }) => {
  const numbers = customerNamed(house, customer).contacts.flatMap(({ phone }) => (phone === undefined ? [] : [phone]));
  const behave = async (behaviour: Record<string, unknown>) => {
    for (const number of numbers) await house.control('PUT', `/sim/phones/${encodeURIComponent(number)}`, behaviour);
  };
  await behave({ answers: 'nobody', afterSeconds: 1 });
  const machineId = await newDevice(house, customer, {});
  const id = await opened(house, customer, machineId);
  await house.command(id, 'triage', verdict(4));
  await until('it rings', async () => (await house.calls()).find(({ to }) => numbers.includes(to)));
  return {
    incidents: [id],
    end: async () => {
      await behave({ answers: 'human', presses: '1', afterSeconds: 0.05 });
      await when(
        house,
        id,
        'acknowledged',
        (view) => duty(view, 'phone')?.['status'] === 'done' && view.stage === 'awaiting-release',
      );
      await house.command(id, 'release', { instruction: jones() });
      await staged(house, id, 'notified');
      await closed(house, id);
    },
  };
};

/** The customer has asked something by mail. */
const asksUs: Scene = async ({ house, customer }) => {
  const { id, mail } = await escalated(house, customer, 2);
  await staged(house, id, 'notified');
  const from = addressOf(house, customer);
  const { messageId } = await answer(house, mail, { from, text: 'Which program was it?' });
  const inquiryId = inquiryOf(id);
  await inquiryWhen(house, inquiryId, 'it is there', ({ mails }) => mails === 1);
  return {
    incidents: [id],
    end: async () => {
      const reply = await house.post(inquiryPath(inquiryId, 'answer'), { text: 'It was PowerShell.' });
      assert.equal(reply.status, 200, JSON.stringify(reply.body));
      const sent = await until(
        'it is answered',
        async () => (await house.mails()).find(({ headers }) => headers['in-reply-to'] === messageId),
        PATIENCE_MS,
      );
      assert.ok(sent.text.includes('It was PowerShell.'));
      await when(house, id, 'nothing waits', ({ inquiry }) => inquiry?.state !== 'open');
      await closed(house, id);
    },
  };
};

/** A mail that an analyst still has to accept. */
const mailHeld: Scene = async ({ house, customer, serial }) => {
  const { id, mail } = await escalated(house, customer, 2);
  await staged(house, id, 'notified');
  const from = `colleague-${serial}@elsewhere.example`;
  const { messageId } = await answer(house, mail, { from, text: 'Please tell me more.' });
  const held = await heldWhen(house, messageId);
  return {
    incidents: [id],
    end: async () => {
      const body = { conversationOf: id, reason: 'Sato has confirmed it by telephone' };
      assert.equal((await house.post(heldPath(held.id, 'accept'), body)).status, 200);
      const inquiryId = inquiryOf(id);
      await inquiryWhen(house, inquiryId, 'it is handed on', ({ mails }) => mails === 1);
      await house.post(inquiryPath(inquiryId, 'close'), { reason: 'told by telephone' });
      await when(
        house,
        id,
        'nothing waits',
        ({ inquiry, attention }) => inquiry?.state === 'closed' && attention.length === 0,
      );
      await closed(house, id);
    },
  };
};

/** An exclusion that one person has proposed, and an alert that it will close. */
const proposed: Scene = async ({ house, customer }) => {
  const sha256 = randomBytes(32).toString('hex');
  const evidence = [{ entityType: 'File', fileName: 'backup.exe', sha256, detectionStatus: 'Detected' }];
  const id = await opened(house, customer, await newDevice(house, customer, {}), { evidence });
  const { body, status } = await house.post(`/v1/customers/${customer}/exclusions`, {
    conditions: { sha256 },
    reason: 'backup',
    expiresAt: new Date(Date.now() + 30 * DAY_MS).toISOString(),
    set: { ownFilter: true },
  });
  assert.equal(status, 201, JSON.stringify(body));
  const path = `/v1/exclusions/${encodeURIComponent(String(body.id))}`;
  return {
    incidents: [id],
    end: async () => {
      for (const as of ['second', 'lead'] as const) await house.post(`${path}/approve`, {}, { as });
      await until(
        'registered',
        async () => ((await house.get(path)).body.state === 'registered' ? true : undefined),
        PATIENCE_MS,
      );
      assert.equal((await staged(house, id, 'closed')).closeReason, 'excluded');
    },
  };
};

const ALWAYS = { from: '2020-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' };

/** Each with how often it is lived: 51 incidents in all. */
export const SCENES: Readonly<Record<string, { scene: Scene; lives: number; customer?: Record<string, unknown> }>> = {
  'awaiting triage': { scene: untriaged, lives: 4 },
  'level 2, told': { scene: told, lives: 3 },
  'level 2, raised later': { scene: raised, lives: 2 },
  'level 3, awaiting release': { scene: awaitingRelease, lives: 4 },
  'level 4, awaiting release': { scene: spreading, lives: 3 },
  'isolated, awaiting text': { scene: awaitingText, lives: 2 },
  'isolation pending': { scene: pending, lives: 4 },
  'awaiting the customer': { scene: asked, lives: 3 },
  'tuning period of the file': { scene: tuning, lives: 2, customer: { tuningPeriods: [ALWAYS] } },
  'tuning period at run time': { scene: tuningAtRunTime, lives: 1 },
  linked: { scene: linked, lives: 2 },
  'one device, two incidents': { scene: shared, lives: 2 },
  'closed and lingering': { scene: lingering, lives: 3 },
  reopened: { scene: reopened, lives: 2 },
  'ended as out of scope': { scene: outOfScope, lives: 2 },
  'mail kept by the mail server': { scene: mailKept, lives: 1 },
  'the telephone rings': { scene: ringing, lives: 1 },
  'the customer asks': { scene: asksUs, lives: 2 },
  'a mail is held': { scene: mailHeld, lives: 2 },
  'an exclusion is proposed': { scene: proposed, lives: 2 },
};
