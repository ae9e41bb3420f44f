import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { until } from '../../simulator/testing.js';
import type { House, HouseOptions } from '../support/house.js';
import { eventually, SOON_MS } from './fault-scenes.js';
import { begin, limiter, type Begun } from './fault-tools.js';
import {
  alertOf,
  approve,
  assertEnd,
  confirmed,
  endNow,
  failureMail,
  failuresTold,
  mailsOf,
  openCells,
  ownIndicators,
  partOf,
  propose,
  retry,
  tried,
  wasAsked,
  when,
  withdraw,
  type Cell,
  type Exclusion,
  type Opened,
} from './exclusion-cells.js';
import { startWorkerOf } from './exclusion-worker.js';
import { HTTP_KINDS, httpKinds, MAIL_TABLE, TIMEOUT_MS, type Fault, type HttpKind } from './fault-table.js';

/*
 * What becomes of an exclusion when the world outside fails while it is set, confirmed, taken back, or its end is told.
 * Every cell has a customer and a tenant of its own. A fault goes on until what must be seen while it lasts was seen.
 */

const CELLS_AT_ONCE = 8;
/** A request that hangs once is not yet told of. */
const PATIENCE = { timeoutMs: TIMEOUT_MS, tellAfterMs: TIMEOUT_MS + 1_000 };

type Must =
  /** It works all the same while the fault goes on: nobody needs to know. */
  | { is: 'overcome' }
  /** While it goes on the SOC is told, once; afterwards it goes on by itself. */
  | { is: 'recovers' }
  /** Refused for good: the SOC is told once, why (`reason`, as the exclusion shows it) and what to do. */
  | { is: 'refused'; reason: RegExp; says: RegExp };

interface Case {
  name: string;
  must: Must;
  begin: (cell: Cell) => Promise<Begun>;
}

/** What is played in a house of its own. */
interface Scene {
  name: string;
  cases: Case[];
  play: (cell: Cell, one: Case) => Promise<void>;
}

const overcome: Must = { is: 'overcome' };
const recovers: Must = { is: 'recovers' };

type Row = Partial<Record<HttpKind, Must>>;

/** The work was done, only its answer is none. */
const WORK_DONE: readonly HttpKind[] = [
  'dropped after the work',
  'slower than the timeout',
  'HTML for the answer',
  'an empty answer',
  'half an answer',
  '50 MB',
];

function every(kinds: readonly HttpKind[], must: Must): Row {
  return Object.fromEntries(kinds.map((kind) => [kind, must]));
}

/** `advice`: what is to be done where it is no matter of permissions. */
function refused(advice: RegExp): Row {
  const forbidden: Must = { is: 'refused', reason: /^defender-forbidden$/, says: /Ti\.ReadWrite/ };
  const inWords: Must = {
    is: 'refused',
    reason: /^Defender answered 4\d\d \w+: This failure was asked for\.$/,
    says: advice,
  };
  return {
    ...every(['400', '404', '409', 'already active'], inWords),
    ...every(['401', '403'], forbidden),
  };
}

/** The endpoints of one errand share the kinds among them in `npm test`; with CHAOS=1 each meets all of them. */
interface Turn {
  index: number;
  of: number;
}

function casesOf(endpoint: string, { index: own, of }: Turn, where: (cell: Cell) => Fault, row: Row): Case[] {
  const kinds = process.env['CHAOS'] === '1' ? httpKinds : httpKinds.filter((_, index) => index % of === own);
  return kinds.map((kind) => ({
    name: `${endpoint}, ${kind}`,
    must: row[kind] ?? recovers,
    begin: (cell) => begin(cell.house, { ...where(cell), ...HTTP_KINDS[kind] }),
  }));
}

const defender =
  (method: string, path: string) =>
  ({ tenantId }: Cell): Fault => ({ target: 'defender', method, path, tenantId });
const LIST = defender('GET', '/api/indicators$');

const SET_REFUSED = refused(/indicators in Defender’s portal.*have it tried again/s);
const REMOVE_REFUSED = refused(/Remove it by hand in Defender’s portal/);

/** The tenant itself, as an administrator leaves it until it is mended. */
function tenantIs(name: string, changes: Fault, mended: Fault, must: Must): Case {
  const patch = ({ house, tenantId }: Cell, body: Fault) => house.control('PATCH', `/sim/tenants/${tenantId}`, body);
  return {
    name,
    must,
    async begin(cell) {
      await patch(cell, changes);
      return { hits: () => Promise.resolve(Infinity), end: () => patch(cell, mended) };
    },
  };
}

const ROLES = ['Alert.Read.All', 'Machine.Read.All', 'Machine.Isolate'];

const SETTING: Scene[] = [
  {
    name: 'Entra gives no token',
    cases: [
      ...casesOf('token', { index: 0, of: 3 }, ({ tenantId }) => ({ target: 'entra', path: `/${tenantId}/` }), {}),
      tenantIs(
        'the tenant has not consented',
        { consented: false },
        { consented: true },
        {
          is: 'refused',
          reason: /^defender-sign-in$/,
          says: /check its secret or certificate, and the consent(?!.*15,000)/s,
        },
      ),
      tenantIs(
        'the tenant has not consented to indicators',
        { roles: ROLES },
        { roles: [...ROLES, 'Ti.ReadWrite'] },
        { is: 'refused', reason: /^defender-forbidden$/, says: /Ti\.ReadWrite/ },
      ),
    ],
    play: playSetting,
  },
  {
    name: 'the indicators cannot be listed',
    cases: casesOf('list', { index: 2, of: 3 }, LIST, SET_REFUSED),
    play: playSetting,
  },
  {
    name: 'the indicator cannot be set',
    cases: casesOf('import', { index: 1, of: 3 }, defender('POST', '/api/indicators/import'), {
      ...SET_REFUSED,
      // The next try finds what the first one did.
      ...every(WORK_DONE, overcome),
    }),
    play: playSetting,
  },
];

const REMOVING: Scene[] = [
  {
    name: 'the indicators cannot be listed at the end',
    cases: casesOf('list', { index: 1, of: 2 }, LIST, REMOVE_REFUSED),
    play: playRemoving,
  },
  {
    name: 'the indicator cannot be taken away',
    cases: casesOf('BatchDelete', { index: 0, of: 2 }, defender('POST', '/api/indicators/BatchDelete'), {
      ...REMOVE_REFUSED,
      // Of a batch that Defender does not know it takes one by one.
      ...every([...WORK_DONE, '404'], overcome),
    }),
    play: playRemoving,
  },
];

function mailCases(says: RegExp): Case[] {
  return Object.entries(MAIL_TABLE).map(([name, { fault, must }]) => ({
    name,
    must: must.is === 'told' ? { is: 'refused', reason: /^mail-rejected$/, says } : must,
    begin: ({ house, address }) => begin(house, { target: 'smtp', path: address, ...fault }),
  }));
}

const MAILING: Scene[] = [
  {
    name: 'the mailbox does not take the confirmation',
    cases: mailCases(/confirmation can be sent again: have it tried again/),
    play: playConfirming,
  },
  {
    name: 'the mailbox does not take the mail of the end',
    cases: mailCases(/tell the customer by telephone/),
    play: playTellingEnd,
  },
];

/** A mail that is sent again by itself is nobody's to have sent again. */
const DELAYED = /sent again until it does(?!.*have it tried again)/s;

const areRemoved = ({ parts }: Pick<Exclusion, 'parts'>): boolean =>
  parts.every(({ status }: { status: string }) => status === 'removed');

async function playSetting(cell: Cell, { must, begin: fail }: Case): Promise<void> {
  await propose(cell);
  const fault = await fail(cell);
  await approve(cell);
  switch (must.is) {
    case 'overcome':
      break;
    case 'recovers': {
      const { text } = await failureMail(cell, /tried again until it can/);
      // What is tried again by itself is nobody's to have tried again.
      assert.doesNotMatch(text, /have it tried again/);
      const waiting = await when(
        cell,
        'our own filter is set',
        (exclusion) => partOf(exclusion, 'own-filter').status === 'set',
      );
      assert.equal(waiting.state, 'approved');
      assert.equal((await mailsOf(cell, 'exclusion-confirmed')).length, 0, 'told that it holds before it does');
      await fault.end();
      break;
    }
    case 'refused': {
      const half = await when(cell, 'confirmed without it', ({ state }) => state === 'confirmed');
      assert.deepEqual(half.attention, ['defender-indicator-not-set']);
      assert.match(partOf(half, 'defender-indicator').reason ?? '', must.reason);
      await failureMail(cell, must.says);
      const [mail] = await mailsOf(cell, 'exclusion-confirmed');
      assert.match(mail?.text ?? '', /the indicator in Defender/);
      await fault.end();
      await retry(cell);
      break;
    }
  }
  const whole = await when(
    cell,
    'set, and the customer told',
    (exclusion) => exclusion.state === 'confirmed' && partOf(exclusion, 'defender-indicator').status === 'set',
  );
  assert.deepEqual(whole.attention, []);
  // An answer that takes long to come may be told of meanwhile.
  const { triedOn, failed } = await failuresTold(cell);
  const told = triedOn.length + failed.length;
  assert.ok(triedOn.length <= 1 && failed.length <= 1, `told ${told} times`);
  await assertEnd(cell, {
    indicators: 1,
    socMails: must.is === 'overcome' ? told : 1,
    // What was confirmed without the indicator is confirmed anew with it.
    mails: { 'exclusion-confirmed': must.is === 'refused' ? 2 : 1, 'exclusion-ended': 0 },
  });
}

async function playRemoving(cell: Cell, { must, begin: fail }: Case): Promise<void> {
  await confirmed(cell);
  const fault = await fail(cell);
  await endNow(cell);
  const taken = (part: 'own-filter' | 'defender-indicator') => (exclusion: Parameters<typeof partOf>[0]) =>
    partOf(exclusion, part).status === 'removed';
  if (must.is !== 'overcome') {
    const left = await when(cell, 'not removed', ({ attention }) => attention.length > 0);
    assert.deepEqual([left.state, left.attention], ['expired', ['defender-indicator-not-removed']]);
    const reason = must.is === 'refused' ? must.reason : /^defender-request-failing$/;
    assert.match(partOf(left, 'defender-indicator').reason ?? '', reason);
    await failureMail(cell, must.is === 'refused' ? must.says : /Remove it by hand in Defender’s portal/);
    // It is over for everybody all the same.
    await when(cell, 'our own filter is given up', taken('own-filter'));
    await when(cell, 'the customer is told', ({ endMail }) => endMail?.status === 'accepted');
    assert.equal(await alertOf(cell), 'awaiting-triage');
    assert.equal((await ownIndicators(cell)).length, 1);
  }
  // A refused one is tried again an hour later: what comes of that takes a clock that jumps.
  const isLeft = must.is === 'refused';
  if (must.is === 'recovers') await fault.end();
  if (!isLeft) {
    const over = await when(
      cell,
      'all over',
      (exclusion) => taken('defender-indicator')(exclusion) && exclusion.endMail !== null,
    );
    assert.deepEqual([over.state, over.attention], ['expired', []]);
    assert.ok(taken('own-filter')(over));
    assert.ok((await fault.hits()) > 0, 'the fault was met');
  }
  await assertEnd(cell, {
    indicators: isLeft ? 1 : 0,
    socMails: must.is === 'overcome' ? 0 : 1,
    mails: { 'exclusion-confirmed': 1, 'exclusion-ended': 1 },
  });
}

async function playConfirming(cell: Cell, { must, begin: fail }: Case): Promise<void> {
  await propose(cell);
  const fault = await fail(cell);
  await approve(cell);
  if (must.is === 'recovers') {
    await failureMail(cell, DELAYED);
    const waiting = await when(cell, 'registered', ({ state }) => state === 'registered');
    assert.equal(waiting.confirmation, null);
    await fault.end();
  }
  if (must.is === 'refused') {
    const untold = await when(cell, 'refused', ({ attention }) => attention.length > 0);
    assert.deepEqual([untold.state, untold.attention], ['registered', ['confirmation-failed']]);
    assert.match(untold.confirmation.reason, must.reason);
    await failureMail(cell, must.says);
    await fault.end();
    await retry(cell);
  }
  const done = await when(cell, 'confirmed', ({ state }) => state === 'confirmed');
  assert.deepEqual(done.attention, []);
  assert.ok((await fault.hits()) > 0, 'the fault was met');
  const [mail] = await mailsOf(cell, 'exclusion-confirmed');
  assert.equal(done.confirmation.messageId, mail?.headers['message-id']);
  await assertEnd(cell, {
    indicators: 1,
    socMails: must.is === 'overcome' ? 0 : 1,
    mails: { 'exclusion-confirmed': 1, 'exclusion-ended': 0 },
  });
}

async function playTellingEnd(cell: Cell, { must, begin: fail }: Case): Promise<void> {
  await confirmed(cell);
  const fault = await fail(cell);
  await endNow(cell);
  // Nobody's mailbox keeps it from ending.
  await when(cell, 'taken back', areRemoved);
  if (must.is === 'recovers') {
    await failureMail(cell, DELAYED);
    await fault.end();
  }
  const over = await when(cell, 'told, or not', ({ endMail }) => endMail !== null);
  assert.equal(over.state, 'expired');
  assert.deepEqual(over.attention, must.is === 'refused' ? ['end-mail-failed'] : []);
  if (must.is === 'refused') {
    assert.match(over.endMail.reason, must.reason);
    await failureMail(cell, must.says);
    const late = await tried(cell, 'retry', { reason: 'mended' });
    assert.deepEqual([late.status, late.body.code], [409, 'exclusion-ended']);
  }
  await assertEnd(cell, {
    indicators: 0,
    socMails: must.is === 'overcome' ? 0 : 1,
    mails: { 'exclusion-confirmed': 1, 'exclusion-ended': must.is === 'refused' ? 0 : 1 },
  });
}

/** In the midst of what the worker that goes away was at. */
interface Stand {
  name: string;
  before: (cell: Cell) => Promise<void>;
  /** The request of which nobody hears the answer. */
  held: (cell: Cell) => Fault;
  go: (cell: Cell) => Promise<void>;
  isReached: (cell: Cell) => Promise<boolean>;
  indicators: 0 | 1;
}

const HELD_MS = 60_000;
const importing = defender('POST', '/api/indicators/import');
const deleting = defender('POST', '/api/indicators/BatchDelete');
const mailing = ({ address }: Cell): Fault => ({ target: 'smtp', path: address });

const STANDS: Stand[] = [
  {
    name: 'it is approved, and nothing registered',
    before: propose,
    held: LIST,
    go: approve,
    isReached: (cell) => wasAsked(cell, 'GET'),
    indicators: 1,
  },
  {
    name: 'Defender has set the indicator, and not answered',
    before: propose,
    held: importing,
    go: approve,
    isReached: async (cell) => (await ownIndicators(cell)).length === 1,
    indicators: 1,
  },
  {
    name: 'the mail server has taken the confirmation, and not answered',
    before: propose,
    held: mailing,
    go: approve,
    isReached: async (cell) => (await mailsOf(cell, 'exclusion-confirmed')).length === 1,
    indicators: 1,
  },
  {
    name: 'Defender has taken the indicator away, and not answered',
    before: confirmed,
    held: deleting,
    go: endNow,
    isReached: async (cell) => (await ownIndicators(cell)).length === 0,
    indicators: 0,
  },
  {
    name: 'the mail server has taken the mail of the end, and not answered',
    before: confirmed,
    held: mailing,
    go: endNow,
    isReached: async (cell) => (await mailsOf(cell, 'exclusion-ended')).length === 1,
    indicators: 0,
  },
];

/** All of them stand where they are to when the worker goes; `goAndComeBack` answers when another is there. */
async function playGone(cells: readonly Cell[], goAndComeBack: () => Promise<void>): Promise<void> {
  const all = STANDS.map((stand, index) => {
    const cell = cells[index];
    assert.ok(cell);
    return { ...stand, cell };
  });
  await Promise.all(
    all.map(async ({ cell, before, held, go, isReached, name }) => {
      await before(cell);
      await begin(cell.house, { ...held(cell), times: 1, delayMs: HELD_MS });
      await go(cell);
      await until(name, async () => ((await isReached(cell)) ? true : undefined), SOON_MS);
    }),
  );
  await goAndComeBack();
  await Promise.all(
    all.map(async ({ cell, indicators }) => {
      const isOver = indicators === 0;
      const done = await when(cell, 'as if nothing had happened', ({ state, endMail, parts }) =>
        isOver ? endMail !== null && areRemoved({ parts }) : state === 'confirmed',
      );
      assert.deepEqual([done.state, done.attention], [isOver ? 'expired' : 'confirmed', []]);
      const mails = { 'exclusion-confirmed': 1, 'exclusion-ended': isOver ? 1 : 0 } as const;
      await assertEnd(cell, { indicators, socMails: 0, mails });
      const registered = done.timeline.filter(({ type }: { type: string }) => type === 'registered');
      assert.equal(registered.length, 1);
    }),
  );
}

/** Drained, as a deployment does it. */
async function playStopped({ house, cells }: Opened): Promise<void> {
  await playGone(cells, async () => {
    await house.stopWorker();
    await house.startWorker();
  });
}

async function playKilled({ house, cells }: Opened): Promise<void> {
  let worker = await startWorkerOf(house);
  try {
    await playGone(cells, async () => {
      worker.kill();
      await worker.ended;
      worker = await startWorkerOf(house);
    });
  } finally {
    worker.kill();
    await worker.ended;
  }
  // What it wrote is of interest only when something went wrong.
  rmSync(worker.logFile, { force: true });
}

/** What one fault alone does not bring about. */
const STORIES: { name: string; play: (cell: Cell) => Promise<void> }[] = [
  {
    name: 'a mailbox that takes nothing from the confirmation to the end has both then, and that it is over last',
    async play(cell) {
      await propose(cell);
      const fault = await begin(cell.house, { target: 'smtp', path: cell.address, stage: 'rcpt', status: 450 });
      await approve(cell);
      await failureMail(cell, DELAYED);
      await endNow(cell);
      await when(cell, 'taken back', areRemoved);
      await fault.end();
      await when(cell, 'told', ({ endMail }) => endMail?.status === 'accepted');
      // A mail that was sent again by a worker's successor counts where it came first.
      const seen = new Set<string | undefined>();
      const kinds = (await cell.house.mails())
        .filter(({ to, headers }) => to.includes(cell.address) && seen.size < seen.add(headers['message-id']).size)
        .map(({ headers }) => headers['x-mimamori-kind']);
      assert.deepEqual(kinds, ['exclusion-confirmed', 'exclusion-ended']);
      await assertEnd(cell, { indicators: 0, socMails: 1, mails: { 'exclusion-confirmed': 1, 'exclusion-ended': 1 } });
    },
  },
  {
    name: 'withdrawn while Defender is away, nothing of it is left when Defender is back',
    async play(cell) {
      await propose(cell);
      const fault = await begin(cell.house, { ...LIST(cell), status: 503 });
      await approve(cell);
      await failureMail(cell, /tried again until it can/);
      await withdraw(cell);
      await when(cell, 'the customer is told', ({ endMail }) => endMail?.status === 'accepted');
      assert.equal(await alertOf(cell), 'awaiting-triage');
      // Whether it was set nobody knows: it is looked for, and the SOC hears that nobody can look.
      await eventually('the SOC is told of that too', async () =>
        (await failuresTold(cell)).triedOn.length === 2 ? true : undefined,
      );
      await fault.end();
      const over = await when(cell, 'taken back', ({ parts }) => parts[0].status === 'removed');
      assert.deepEqual([over.state, over.attention], ['withdrawn', []]);
      await assertEnd(cell, { indicators: 0, socMails: 2, mails: { 'exclusion-confirmed': 0, 'exclusion-ended': 1 } });
    },
  },
  {
    name: 'an indicator alone that is refused is registered, and confirmed, only once it is set',
    async play(cell) {
      await propose(cell, { ownFilter: false });
      const fault = await begin(cell.house, { ...importing(cell), status: 400 });
      await approve(cell);
      const waiting = await when(cell, 'refused', ({ attention }) => attention.length > 0);
      assert.deepEqual([waiting.state, waiting.attention], ['approved', ['defender-indicator-not-set']]);
      await failureMail(cell, /have it tried again/);
      assert.equal((await mailsOf(cell, 'exclusion-confirmed')).length, 0);
      await fault.end();
      await retry(cell);
      const done = await when(cell, 'confirmed', ({ state }) => state === 'confirmed');
      assert.deepEqual(done.attention, []);
      await assertEnd(cell, { indicators: 1, socMails: 1, mails: { 'exclusion-confirmed': 1, 'exclusion-ended': 0 } });
    },
  },
];

const SCENES = [...SETTING, ...REMOVING, ...MAILING];
const STOPPED = 'a worker that is drained in the midst of it, and another comes';
const KILLED = 'a worker that is killed in the midst of it, and another comes';

describe('an exclusion while the world outside fails', function () {
  this.timeout(180_000);
  /** What is being played, by its case, its story or its name. */
  const played = new Map<unknown, Promise<void>>();
  const houses: House[] = [];
  const letIn = limiter(CELLS_AT_ONCE);

  async function open(count: number, options: HouseOptions): Promise<Opened> {
    const opened = await openCells(count, options);
    houses.push(opened.house);
    return opened;
  }

  function begun(what: unknown, playing: Promise<void>): void {
    // It is told where its test waits for it.
    playing.catch(() => undefined);
    played.set(what, playing);
  }

  async function inHouse<One>(all: readonly One[], play: (cell: Cell, one: One) => Promise<void>): Promise<void> {
    const { cells } = await open(all.length, { patience: PATIENCE });
    all.forEach((one, index) => {
      const cell = cells[index];
      assert.ok(cell);
      begun(
        one,
        letIn(() => play(cell, one)),
      );
    });
  }

  before(async () => {
    begun(KILLED, playKilled(await open(STANDS.length, { worker: false })));
    begun(STOPPED, playStopped(await open(STANDS.length, { patience: { timeoutMs: TIMEOUT_MS } })));
    await inHouse(STORIES, (cell, { play }) => play(cell));
    for (const { cases, play } of SCENES) await inHouse(cases, play);
  });
  after(async () => {
    await Promise.allSettled(played.values());
    for (const house of houses) await house.close();
  });

  for (const { name, cases } of SCENES) {
    describe(name, () => {
      for (const one of cases) it(`${one.name}: ${one.must.is}`, () => played.get(one));
    });
  }
  for (const story of STORIES) it(story.name, () => played.get(story));
  for (const name of [STOPPED, KILLED]) it(`${name}: the end is the same, and nothing twice`, () => played.get(name));
});
