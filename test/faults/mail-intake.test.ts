import assert from 'node:assert/strict';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { until } from '../../simulator/testing.js';
import { localServer, ownNamespace } from '../support/temporal.js';
import { Way } from '../support/way.js';
import { IntakeHouse, type Row, type Scene, type Written } from './intake-house.js';
import { killRows } from './intake-kills.js';

/*
 * What becomes of customers' mail when something breaks at any step of its intake. One Temporal server for all; each row of
 * houses plays its scenes one after the other in a namespace of its own, beside those of other lanes: mostly they wait for a next try.
 */

const PHASES = [
  ['arrived', 'before its work'],
  ['done', 'in the place of its answer'],
] as const;

async function ordinary(server: TestWorkflowEnvironment): Promise<IntakeHouse> {
  return IntakeHouse.open(await ownNamespace(server));
}

/** The mailbox's reader idles, and is told of the mail; what it asks next is cut. */
function cutWhileTaking(command: string): Scene[] {
  return PHASES.map(([phase, when]) => ({
    name: `${command} is cut ${when}`,
    async play(rooms) {
      const escalated = await rooms.escalated();
      const cut = rooms.moments.cut(command, phase);
      const written = await rooms.answer(escalated);
      await cut;
      await rooms.assertOnce(written);
    },
  }));
}

/** The reader has lost its connection; the next one is cut on its way to the inbox. */
function cutWhileConnecting(command: string): Scene[] {
  return PHASES.map(([phase, when]) => ({
    name: `${command} is cut ${when}`,
    async play(rooms) {
      const escalated = await rooms.escalated();
      const cuts = [rooms.moments.cut('IDLE', 'done'), rooms.moments.cut(command, phase)];
      const written = await rooms.answer(escalated);
      await Promise.all(cuts);
      await rooms.assertOnce(written);
    },
  }));
}

/** The trouble goes on until it is shown as one that lasts, and ends. */
async function troubleShown(
  rooms: IntakeHouse,
  written: Written,
  says: RegExp,
  end: () => Promise<unknown>,
): Promise<void> {
  const first = await rooms.mailboxWhen('its trouble is shown', ({ error }) => error !== null);
  const last = await rooms.mailboxWhen('tried again', ({ error }) => error !== null && error.failures >= 3);
  assert.match(last.error.message, says);
  assert.equal(last.error.since, first.error.since, 'one trouble, and not one after the other');
  await end();
  await rooms.assertOnce(written);
  const after = await rooms.mailboxWhen('well again', ({ error }) => error === null);
  assert.equal(after.state, 'running');
}

/** A fault that lasts until it is taken back. */
function lasting(name: string, fault: Record<string, unknown>, says: RegExp, before: readonly string[] = []): Scene {
  return {
    name,
    async play(rooms) {
      const escalated = await rooms.escalated();
      await rooms.house.control('POST', '/sim/faults', { target: 'imap', times: 1_000, ...fault });
      const cuts = before.map((command) => rooms.moments.cut(command, 'done'));
      const written = await rooms.answer(escalated);
      await Promise.all(cuts);
      await troubleShown(rooms, written, says, () => rooms.house.control('DELETE', '/sim/faults'));
    },
  };
}

const WAITING = 200;
const CONVERSATIONS = 10;
const TAKEN_WITHIN_MS = 60_000;

const uidsChange: Scene = {
  name: 'every UID becomes another mail’s while one is read',
  async play(rooms) {
    const [one, other] = [await rooms.escalated(), await rooms.escalated()];
    const held = rooms.moments.hold('FETCH', 'arrived');
    const first = await rooms.answer(one);
    const goOn = await held;
    const second = await rooms.answer(other);
    const reading = rooms.moments.hold('UID FETCH', 'arrived');
    goOn();
    const goOnReading = await reading;
    await rooms.house.control('POST', '/sim/mailbox/uidvalidity');
    goOnReading();
    await rooms.assertOnce(first);
    await rooms.assertOnce(second);
  },
};

/** Over one mail the connection breaks whenever it is asked for. */
const oneIsNeverGiven: Scene = {
  name: 'the connection breaks over one mail, and the others are taken: it is held, unread',
  async play(rooms) {
    const [one, ...others] = [await rooms.escalated(), await rooms.escalated(), await rooms.escalated()];
    const held = rooms.moments.hold('FETCH', 'arrived');
    const { messageId } = await rooms.answer(one);
    const goOn = await held;
    const uid = (await rooms.folders()).INBOX.find((mail) => mail.messageId === messageId)?.uid ?? assert.fail();
    const fault = { target: 'imap', path: `UID FETCH ${uid} `, times: 1_000, dropAfterAccept: true };
    await rooms.house.control('POST', '/sim/faults', fault);
    goOn();
    await rooms.mailboxWhen('its trouble is shown', ({ error }) => error !== null);
    const timesLeft = async (): Promise<number> => (await rooms.house.control('GET', '/sim/faults')).items[0].times;
    for (const other of others) {
      const written = await rooms.answer(other);
      await rooms.takenBeside(written);
      // It counts against a mail that it failed again after another was taken. Where that was before this look, and for the last time,
      // it is asked for no more.
      const before = await timesLeft();
      await until(
        'it is asked for again, or given up',
        async () => ((await timesLeft()) < before || (await rooms.folders()).INBOX.length === 0 ? true : undefined),
        30_000,
      );
    }
    await rooms.emptied();
    const unread = await until('it is listed', async () => {
      const { items = [] } = (await rooms.house.get('/v1/mailbox/attention')).body;
      const found = items.filter(({ reason }: { reason: string }) => reason === 'unreadable');
      return found.length > 0 ? found : undefined;
    });
    assert.equal(unread.length, 1);
    const { Attention } = await rooms.folders();
    assert.equal(Attention.filter((mail) => mail.messageId === messageId).length, 1);
    await rooms.house.control('DELETE', '/sim/faults');
    await rooms.mailboxWhen('well again', ({ error }) => error === null);
  },
};

function smtpFails(name: string, fault: Record<string, unknown>): Scene {
  return {
    name: `${name} while the answer is sent`,
    async play(rooms) {
      const written = await rooms.write();
      await rooms.emptied();
      const asked = { target: 'smtp', path: 'sato@acme.example', times: 2, ...fault };
      await rooms.house.control('POST', '/sim/faults', asked);
      await rooms.assertOnce(written);
      const { items } = await rooms.house.control('GET', '/sim/faults');
      assert.deepEqual(items, [], 'both have happened');
    },
  };
}

const manyWait: Scene = {
  name: `${WAITING} mails that wait are taken within ${TAKEN_WITHIN_MS / 1_000} seconds`,
  async play(rooms) {
    const escalated = await Promise.all(Array.from({ length: CONVERSATIONS }, () => rooms.escalated()));
    const held = rooms.moments.hold('FETCH', 'arrived');
    const answered = (index: number) => rooms.answer(escalated[index % CONVERSATIONS] ?? assert.fail());
    const all = [await answered(0)];
    const goOn = await held;
    while (all.length < WAITING) all.push(await answered(all.length));
    const startedMs = performance.now();
    goOn();
    await rooms.emptied(TAKEN_WITHIN_MS);
    const tookMs = performance.now() - startedMs;
    assert.ok(tookMs < TAKEN_WITHIN_MS, `took ${tookMs} ms`);
    for (const { incidentId } of escalated) {
      const own = all.filter((written) => written.incidentId === incidentId).map(({ words }) => words);
      const { customerMails } = await rooms.house.incidentWhen(
        incidentId,
        'all of its mails are there',
        (incident) => incident.customerMails.length >= own.length,
      );
      const shown: string[] = customerMails.map(({ words }: { words: string }) => words);
      assert.deepEqual(shown.toSorted(), own.toSorted());
    }
  },
};

const drained: Scene = {
  name: 'the worker is drained while it reads a mail',
  async play(rooms) {
    const [one, other] = [await rooms.escalated(), await rooms.escalated()];
    const held = rooms.moments.hold('UID FETCH', 'arrived');
    const first = await rooms.answer(one);
    const goOn = await held;
    const stopped = rooms.house.stopWorker();
    goOn();
    await stopped;
    const second = await rooms.answer(other);
    await rooms.house.startWorker();
    await rooms.assertOnce(first);
    await rooms.assertOnce(second);
  },
};

/** A house that reaches Temporal by a way that can be closed. */
function temporalAway(): Row {
  let way: Way | undefined;
  return {
    async open(server) {
      way = await Way.to(Number(server.address.split(':').at(-1)));
      return IntakeHouse.open(await ownNamespace(server, `127.0.0.1:${way.port}`));
    },
    scenes: [
      {
        name: 'Temporal is not reached for a while, when the mail has just been read',
        async play(rooms) {
          const escalated = await rooms.escalated();
          const held = rooms.moments.hold('UID FETCH', 'done');
          const written = await rooms.answer(escalated);
          const goOn = await held;
          way?.close();
          goOn();
          await until('nobody reaches Temporal', async () =>
            (await rooms.house.get('/v1/mailbox')).status === 503 ? true : undefined,
          );
          assert.equal((await rooms.folders()).INBOX.length, 1, 'the mail stays until somebody has it');
          way?.open();
          await rooms.assertOnce(written);
        },
      },
    ],
    end: async () => way?.end(),
  };
}

/** Each plays its rows one after the other, beside the others. */
const lanes: Row[][] = [
  [{ open: ordinary, scenes: [drained] }, temporalAway()],
  [{ open: ordinary, scenes: ['AUTHENTICATE', 'LIST', 'SELECT'].flatMap(cutWhileConnecting) }],
  [
    {
      open: ordinary,
      scenes: [
        ...['NOOP', 'FETCH', 'UID FETCH', 'UID MOVE'].flatMap(cutWhileTaking),
        ...cutWhileTaking('IDLE').slice(1),
        smtpFails('the mail server is busy', { status: 451 }),
        smtpFails('the mail server takes it and says nothing', { dropAfterAccept: true }),
      ],
    },
  ],
  [
    {
      open: ordinary,
      scenes: [
        lasting('the sign-in is refused', { path: 'AUTHENTICATE', status: 401 }, /refused the sign-in/, ['IDLE']),
        lasting('mails are listed, and cannot be read', { path: 'UID FETCH', status: 500 }, /./),
        lasting('mails are taken, and cannot be moved', { path: 'UID MOVE', status: 500 }, /did not move/),
        {
          name: 'nobody listens for a while',
          async play(rooms) {
            const escalated = await rooms.escalated();
            await rooms.house.control('POST', '/sim/faults', { target: 'imap', refuseMs: 60_000 });
            const written = await rooms.answer(escalated);
            await troubleShown(rooms, written, /./, () => rooms.house.control('DELETE', '/sim/faults'));
          },
        },
        uidsChange,
        manyWait,
        oneIsNeverGiven,
      ],
    },
  ],
  killRows.before,
  killRows.after,
];

describe('intake of mail, when something breaks', function () {
  this.timeout(180_000);
  const played = new Map<Scene, Promise<void>>();
  const ends: (() => Promise<void>)[] = [];

  before(async () => {
    const server = await localServer();
    for (const lane of lanes) {
      let previous: Promise<unknown> = Promise.resolve();
      for (const { open, scenes, end } of lane) {
        const opened = Promise.allSettled([previous]).then(() => open(server));
        ends.push(async () => {
          await (await opened).close();
          await end?.();
        });
        previous = opened;
        for (const scene of scenes) {
          const own = Promise.allSettled([previous]).then(async () => scene.play(await opened));
          // It is told where it is waited for.
          own.catch(() => undefined);
          played.set(scene, own);
          previous = own;
        }
      }
    }
  });
  after(async () => {
    await Promise.allSettled(played.values());
    await Promise.all(ends.map((end) => end()));
  });

  for (const { scenes } of lanes.flat()) {
    for (const scene of scenes) {
      it(scene.name, () => played.get(scene));
    }
  }
});
