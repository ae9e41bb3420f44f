import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArchiveError,
  ChainBroken,
  type CheckedChain,
  type Entry,
  type Head,
  type Heads,
} from '../../src/domain/archive/entry.js';
import { incidentView, summaryOf } from '../../src/domain/incident/view.js';
import { KeyMissing } from '../../src/domain/sealing.js';
import { toInstant } from '../../src/domain/time.js';
import { createArchive } from '../../src/integrations/archive/chain.js';
import { createFolderStore } from '../../src/integrations/archive/folder.js';
import { entryName, pointerName, recordName, sha256 } from '../../src/integrations/archive/names.js';
import { createS3Store } from '../../src/integrations/archive/s3.js';
import type { ArchiveStore } from '../../src/integrations/archive/store.js';
import { Life } from '../domain/life.js';
import { testSealing } from '../support/keys.js';
import { startS3, type RunningS3 } from '../support/s3.js';

const SECRET_WORDS = 'planted: Domänenadministrator';

/** A closed incident, as the archive takes it. `notes`: what has happened to it since. */
function closed(alertId: string, notes = 0, customerId = 'acme') {
  const life = new Life({ alert: { id: alertId, title: SECRET_WORDS } }).triage(1);
  for (let note = 0; note < notes; note += 1) life.fact({ type: 'note', text: `note ${note}`, actor: 'ana' });
  const incidentId = `incident:${customerId}:${alertId}`;
  const record = { ...life.record, customerId, incidentId, revision: life.record.revision + notes };
  return {
    ...{ customerId, record },
    view: incidentView(record, life.now),
    summary: summaryOf(record, life.now),
    run: { id: randomUUID(), hasEnded: true },
    archivedAt: life.now,
  };
}

async function all(chains: AsyncIterable<CheckedChain>): Promise<CheckedChain[]> {
  const found: CheckedChain[] = [];
  for await (const chain of chains) found.push(chain);
  return found;
}

/** Each fault in short: `acme 2 record-changed`. `written`: ends that somebody has written down; `held`: those at Temporal. */
async function faults(store: ArchiveStore, written: Heads = {}, held?: Heads): Promise<string[]> {
  const chains = await all(createArchive(store, testSealing).check(held, written));
  return chains.flatMap(({ findings }) =>
    findings.map(({ customerId, seq, fault, incidentId }) => `${customerId} ${seq} ${fault} ${incidentId ?? '?'}`),
  );
}

/** A store like that one, in which one thing is different. */
function storeLike(store: ArchiveStore, other: Partial<ArchiveStore>): ArchiveStore {
  return {
    putNew: (name, bytes) => store.putNew(name, bytes),
    get: (name) => store.get(name),
    list: (folder, after) => store.list(folder, after),
    folders: () => store.folders(),
    ...other,
  };
}

/** Where an archive is kept, new for each test. */
function behaves(open: () => ArchiveStore): void {
  it('puts what is not there, and never over what is', async () => {
    const store = open();
    assert.equal(await store.putNew('acme/entries/0000000001.json', Buffer.from('one')), 'put');
    assert.equal(await store.putNew('acme/entries/0000000001.json', Buffer.from('other')), 'exists');
    assert.equal(Buffer.from((await store.get('acme/entries/0000000001.json')) ?? []).toString(), 'one');
    assert.equal(await store.get('acme/entries/0000000002.json'), undefined);
    const race = await Promise.all(
      Array.from({ length: 6 }, (_, index) => store.putNew('acme/raced', Buffer.from(String(index)))),
    );
    assert.equal(race.filter((result) => result === 'put').length, 1);
    assert.equal(await store.putNew('acme/incidents/abc/0000000001', new Uint8Array()), 'put');
    assert.equal((await store.get('acme/incidents/abc/0000000001'))?.length, 0);
  });

  it('lists a folder, all or behind a name, and the folders at the top', async () => {
    const store = open();
    for (const name of [
      'acme/entries/0000000002.json',
      'acme/entries/0000000001.json',
      'globex/entries/0000000001.json',
    ]) {
      await store.putNew(name, Buffer.from(name));
    }
    assert.deepEqual(await store.list('acme/entries'), ['0000000001.json', '0000000002.json']);
    assert.deepEqual(await store.list('acme/entries', '0000000001.json'), ['0000000002.json']);
    assert.deepEqual(await store.list('nobody/entries'), []);
    assert.deepEqual(await store.list('acme'), ['entries/0000000001.json', 'entries/0000000002.json']);
    assert.deepEqual(await store.folders(), ['acme', 'globex']);
  });

  it('keeps a chain that others find and the check believes', async () => {
    const store = open();
    const archive = createArchive(store, testSealing);
    const first = await archive.append(closed('da1'), undefined);
    const second = await archive.append(closed('da2'), { seq: 1, sha256: first.sha256 });
    await archive.append(closed('dx', 0, 'globex'), undefined);
    const again = await archive.append(closed('da1', 1), { seq: 2, sha256: second.sha256 });
    assert.deepEqual([first.entry.seq, second.entry.seq, again.entry.seq], [1, 2, 3]);
    assert.deepEqual([second.entry.previous, again.entry.previous], [first.sha256, second.sha256]);

    const elsewhere = createArchive(store, testSealing);
    const found = await elsewhere.find('incident:acme:da1');
    assert.equal(found?.entry.seq, 3);
    assert.equal(found.view.title, SECRET_WORDS);
    assert.deepEqual(found.record, JSON.parse(JSON.stringify(closed('da1', 1).record)));
    assert.equal((await elsewhere.summaryOf(second.entry))?.title, SECRET_WORDS);
    assert.equal(await elsewhere.find('incident:acme:unknown'), undefined);
    assert.deepEqual(await elsewhere.customers(), ['acme', 'globex']);
    assert.equal((await elsewhere.tail('acme'))?.sha256, again.sha256);

    const [acme] = await all(elsewhere.check(undefined, { acme: { seq: 2, sha256: second.sha256 } }));
    assert.deepEqual(acme, {
      customerId: 'acme',
      head: { seq: 3, sha256: again.sha256 },
      entries: 3,
      unreadable: 0,
      notHeld: 0,
      missingKeys: [],
      findings: [],
    });
  });

  it('takes the same record once, however often and by however many it is brought', async () => {
    const store = open();
    const [one, other] = [createArchive(store, testSealing), createArchive(store, testSealing)];
    await Promise.all(
      [one, other].flatMap((archive) => ['da1', 'da2', 'da3'].map((id) => archive.append(closed(id), undefined))),
    );
    await other.append(closed('da2'), undefined);
    assert.equal((await store.list('acme/entries')).length, 3);
    assert.deepEqual(await faults(store), []);
  });
}

describe('an archive in a folder', () => {
  let root = '';
  beforeEach(() => {
    root = join(mkdtempSync(join(tmpdir(), 'mimamori-archive-')), 'archive');
  });
  afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));
  const open = () => createFolderStore(root);

  behaves(open);

  /** Three entries, and where the chain ends. */
  async function filled(how: { sealed: boolean } = { sealed: true }): Promise<Head> {
    const archive = createArchive(open(), how.sealed ? testSealing : undefined);
    let head: Head | undefined;
    for (const id of ['da1', 'da2', 'da3']) {
      const { entry, sha256 } = await archive.append(closed(id), head);
      head = { seq: entry.seq, sha256 };
    }
    assert.ok(head);
    return head;
  }

  const entry = (seq: number) => join(root, 'acme/entries', `${String(seq).padStart(10, '0')}.json`);
  function recordOf(seq: number): string {
    const { record } = JSON.parse(readFileSync(entry(seq), 'utf8'));
    return join(root, 'acme/records', `${record.sha256}.bin`);
  }
  function flip(file: string, at: number): void {
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }

  it('is for the service’s own user alone, and holds no word of a record', async () => {
    await filled();
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
    assert.ok(names.length > 9);
    for (const name of ['', ...names]) {
      const path = join(root, name);
      const { mode } = statSync(path);
      const isFolder = statSync(path).isDirectory();
      assert.equal(mode & 0o777, isFolder ? 0o700 : 0o600, path);
      if (!isFolder) assert.ok(!readFileSync(path, 'latin1').includes('planted'), path);
    }
    assert.deepEqual(readdirSync(join(root, '.writing')), []);
  });

  it('where nothing is encrypted, is read without keys', async () => {
    await filled({ sealed: false });
    const found = await createArchive(open(), undefined).find('incident:acme:da2');
    assert.equal(found?.view.title, SECRET_WORDS);
    assert.equal(found.entry.record.keyId, null);
  });

  it('whose key is destroyed tells nothing any more, and its chain still holds', async () => {
    const head = await filled();
    const missing = () => Promise.reject(new KeyMissing('the keys of acme were destroyed', true));
    const archive = createArchive(open(), { seal: missing, open: missing });
    await assert.rejects(archive.find('incident:acme:da1'), KeyMissing);
    const first = await archive.at('acme', 1);
    assert.ok(first);
    assert.equal(await archive.summaryOf(first.entry), undefined);
    const [chain] = await all(archive.check({ acme: head }));
    assert.deepEqual([chain?.findings, chain?.unreadable, chain?.entries], [[], 3, 3]);
    assert.deepEqual(chain?.missingKeys, []);
  });

  it('whose key is not here, and was not destroyed, is not said to be sound', async () => {
    const head = await filled();
    const missing = () => Promise.reject(new KeyMissing('the key acme.1 is not among the keys'));
    const [chain] = await all(createArchive(open(), { seal: missing, open: missing }).check({ acme: head }));
    assert.deepEqual([chain?.unreadable, chain?.missingKeys], [3, ['acme.1']]);
  });

  it('that was begun without keys is read to its end, in plain as far as there were none', async () => {
    const plain = await filled({ sealed: false });
    const archive = createArchive(open(), testSealing);
    const { entry, sha256: hash } = await archive.append(closed('da4'), plain);
    assert.equal(entry.record.keyId, 'acme.1');
    for (const id of ['da1', 'da3', 'da4']) {
      const found = await archive.find(`incident:acme:${id}`);
      assert.equal(found?.view.title, SECRET_WORDS);
      assert.equal((await archive.summaryOf(found.entry))?.title, SECRET_WORDS);
    }
    assert.deepEqual(await faults(open(), {}, { acme: { seq: 4, sha256: hash } }), []);
  });

  it('that was begun without keys and has lost an entry of then, is read behind that in plain as before', async () => {
    const plain = await filled({ sealed: false });
    await createArchive(open(), testSealing).append(closed('da4'), plain);
    for (const lose of [() => writeFileSync(entry(1), 'x'), () => rmSync(entry(1))]) {
      lose();
      const archive = createArchive(open(), testSealing);
      for (const id of ['da2', 'da3', 'da4']) {
        assert.equal((await archive.find(`incident:acme:${id}`))?.view.title, SECRET_WORDS);
      }
    }
  });

  it('that was begun without keys is looked through once, however many read it', async () => {
    await filled({ sealed: false });
    const read: string[] = [];
    const store = open();
    const counting = storeLike(store, {
      get: (name) => {
        read.push(name);
        return store.get(name);
      },
    });
    const archive = createArchive(counting, testSealing);
    const last = await archive.at('acme', 3);
    assert.ok(last);
    read.length = 0;
    const shown = await Promise.all([1, 2, 3].map(() => archive.summaryOf(last.entry)));
    assert.deepEqual(
      shown.map((summary) => summary?.title),
      [SECRET_WORDS, SECRET_WORDS, SECRET_WORDS],
    );
    assert.equal((await archive.summaryOf(last.entry))?.title, SECRET_WORDS);
    assert.deepEqual(
      read,
      [1, 2, 3].map((seq) => entryName('acme', seq)),
    );
  });

  describe('to which somebody without the keys has added', () => {
    /** Another entry behind the last, as whoever can write to the folder alone can make one. */
    async function forged(head: Head, like: Entry, other: Partial<Entry>): Promise<Entry> {
      const made: Entry = { ...like, seq: head.seq + 1, previous: head.sha256, ...other };
      await open().putNew(entryName('acme', made.seq), Buffer.from(`${JSON.stringify(made)}\n`));
      await open().putNew(pointerName(made), new Uint8Array());
      return made;
    }
    async function entryOf(incidentId: string): Promise<Entry> {
      const placed = await createArchive(open(), testSealing).findPlace(incidentId);
      assert.ok(placed);
      return placed.entry;
    }
    /** Nobody believes it, writes on behind it, or misses it. */
    async function isRefused(head: Head, { incidentId, seq }: Entry): Promise<void> {
      const archive = createArchive(open(), testSealing);
      await assert.rejects(archive.find(incidentId), ChainBroken);
      const placed = await archive.at('acme', seq);
      assert.ok(placed);
      assert.equal(await archive.summaryOf(placed.entry), undefined);
      await assert.rejects(archive.append(closed('da4'), head), ChainBroken);
      assert.ok((await faults(open(), {}, { acme: head })).includes(`acme ${seq} entry-not-held ${incidentId}`));
    }

    it('what another customer’s key has sealed, is not opened for this one', async () => {
      const head = await filled();
      await createArchive(open(), testSealing).append(closed('dx', 0, 'globex'), undefined);
      const foreign = await entryOf('incident:globex:dx');
      const name = recordName('globex', foreign.record.sha256);
      copyFileSync(join(root, name), join(root, recordName('acme', foreign.record.sha256)));
      await isRefused(head, await forged(head, foreign, { customerId: 'acme', incidentId: 'incident:acme:dx' }));
    });

    it('what is plain, is not believed', async () => {
      const head = await filled();
      const { record, view, summary } = closed('da9');
      const bytes = Buffer.from(JSON.stringify({ record, view }));
      await open().putNew(recordName('acme', sha256(bytes)), bytes);
      const parts = {
        incidentId: record.incidentId,
        revision: record.revision,
        record: { sha256: sha256(bytes), bytes: bytes.length, keyId: null },
        summary: { keyId: null, data: Buffer.from(JSON.stringify(summary)).toString('base64') },
      };
      await isRefused(head, await forged(head, await entryOf('incident:acme:da1'), parts));
      // Nor where one plain entry is to vouch for the next.
      const fourth = { seq: 4, sha256: sha256(readFileSync(entry(4))) };
      const other = { ...parts, incidentId: 'incident:acme:da1' };
      const fifth = await forged(fourth, await entryOf('incident:acme:da1'), other);
      await assert.rejects(createArchive(open(), testSealing).find(fifth.incidentId), ChainBroken);
    });

    it('another incident’s record, is not taken for that of the one it names', async () => {
      const head = await filled();
      const like = await entryOf('incident:acme:da1');
      await isRefused(head, await forged(head, like, { incidentId: 'incident:acme:unknown' }));
    });

    it('what an incident was before, is not written on', async () => {
      const archive = createArchive(open(), testSealing);
      const { entry: first } = await archive.append(closed('da1'), undefined);
      const { entry: second, sha256: hash } = await archive.append(closed('da1', 1), undefined);
      const head = { seq: second.seq, sha256: hash };
      await forged(head, first, {});
      await assert.rejects(
        createArchive(open(), testSealing).append(closed('da4'), head),
        /takes incident:acme:da1 back/,
      );
      assert.deepEqual(await faults(open(), {}, { acme: head }), ['acme 3 entry-not-held incident:acme:da1']);
    });

    it('what does not follow on the chain, is not written on', async () => {
      const head = await filled();
      await forged(head, await entryOf('incident:acme:da1'), { previous: '0'.repeat(64) });
      await assert.rejects(createArchive(open(), testSealing).append(closed('da4'), head), /does not follow/);
    });

    it('what leads from an incident to no entry of it, is named', async () => {
      const head = await filled();
      for (const [incidentId, seq] of [
        ['incident:acme:unknown', 1],
        ['incident:acme:da2', 9],
      ] as const) {
        await open().putNew(
          pointerName({ ...(await entryOf('incident:acme:da1')), incidentId, seq }),
          new Uint8Array(),
        );
      }
      assert.deepEqual((await faults(open(), {}, { acme: head })).sort(), [
        'acme 1 pointer-unexplained ?',
        'acme 9 pointer-unexplained ?',
      ]);
    });

    it('a name that is no number beside those of an incident’s entries, hides none, and is named', async () => {
      const head = await filled();
      const folder = pointerName(await entryOf('incident:acme:da1')).replace(/[^/]*$/, '');
      for (const name of ['0000000012~', 'x']) await open().putNew(`${folder}${name}`, new Uint8Array());
      const archive = createArchive(open(), testSealing);
      assert.equal((await archive.find('incident:acme:da1'))?.entry.seq, 1);
      assert.deepEqual(await faults(open(), {}, { acme: head }), [
        'acme 0 pointer-unexplained ?',
        'acme 0 pointer-unexplained ?',
      ]);
    });

    it('a name far behind all others, keeps neither the check nor lists', async () => {
      const head = await filled();
      writeFileSync(join(root, 'acme/entries/9999999999.json'), 'x');
      assert.deepEqual(await faults(open(), {}, { acme: head }), ['acme 9999999999 entry-out-of-place ?']);
      const archive = createArchive(open(), testSealing);
      assert.equal(await archive.lastSeq('acme'), 3);
      assert.equal((await archive.append(closed('da4'), head)).entry.seq, 4);
    });
  });

  it('does not miss at Temporal what was written a moment ago', async () => {
    const head = await filled();
    const archive = createArchive(open(), testSealing);
    await archive.append({ ...closed('da4'), archivedAt: toInstant(Date.now()) }, head);
    assert.deepEqual(await faults(open(), {}, { acme: head }), []);
  });

  it('that Temporal lags behind is not said to be forged, nor to be compared with', async () => {
    const archive = createArchive(open(), testSealing);
    const { sha256: first } = await archive.append(closed('da1'), undefined);
    await filled();
    const check = async (held: Heads) => {
      const [chain] = await all(archive.check(held));
      return [chain?.notHeld, chain?.findings];
    };
    assert.deepEqual(await check({ acme: { seq: 1, sha256: first } }), [2, []]);
    // Of a customer whose end Temporal does not hold nobody has said anything.
    assert.deepEqual(await check({}), [0, []]);
    flip(recordOf(3), 0);
    assert.deepEqual(await faults(open(), {}, { acme: { seq: 1, sha256: first } }), [
      'acme 3 record-changed incident:acme:da3',
      'acme 3 entry-not-held incident:acme:da3',
    ]);
  });

  it('whose last entry cannot be read still has its length', async () => {
    await filled();
    writeFileSync(entry(3), 'x');
    assert.equal(await createArchive(open(), testSealing).lastSeq('acme'), 3);
    assert.equal(await createArchive(open(), testSealing).lastSeq('globex'), 0);
  });

  describe('that somebody has changed', () => {
    it('by one byte of any record, is told with the incident’s name', async () => {
      const head = await filled();
      const record = recordOf(2);
      const { size } = statSync(record);
      for (const at of [0, 20, Math.floor(size / 2), size - 1]) {
        flip(record, at);
        assert.deepEqual(await faults(open(), { acme: head }), ['acme 2 record-changed incident:acme:da2']);
        await assert.rejects(createArchive(open(), testSealing).find('incident:acme:da2'), ChainBroken);
        flip(record, at);
      }
      assert.deepEqual(await faults(open(), { acme: head }), []);
    });

    it('in what an entry says', async () => {
      const head = await filled();
      const forged = readFileSync(entry(2), 'utf8').replace(/"revision":\d+/, '"revision":99');
      writeFileSync(entry(2), forged);
      assert.deepEqual(await faults(open(), { acme: head }), [
        'acme 2 record-foreign incident:acme:da2',
        'acme 2 entry-changed incident:acme:da2',
      ]);
    });

    it('at the end of the chain, which only whoever has written the end down can tell', async () => {
      const head = await filled();
      writeFileSync(entry(3), readFileSync(entry(3), 'utf8').replace('"hasEnded":true', '"hasEnded":false'));
      assert.deepEqual(await faults(open()), []);
      assert.deepEqual(await faults(open(), { acme: head }), ['acme 3 entry-changed incident:acme:da3']);
    });

    it('so that an entry can be read no more', async () => {
      const head = await filled();
      writeFileSync(entry(2), 'x');
      assert.deepEqual(await faults(open(), { acme: head }), ['acme 2 entry-unreadable ?', 'acme 2 entry-changed ?']);
    });

    it('by another entry in its place', async () => {
      const head = await filled();
      writeFileSync(entry(2), readFileSync(entry(1)));
      assert.deepEqual(await faults(open(), { acme: head }), [
        'acme 2 entry-out-of-place incident:acme:da1',
        'acme 2 entry-changed incident:acme:da1',
      ]);
    });
  });

  describe('of which something was taken away', () => {
    const cases: [string, () => string[], string[]][] = [
      ['a record', () => [recordOf(2)], ['acme 2 record-missing incident:acme:da2']],
      ['an entry', () => [entry(2)], ['acme 2 entry-missing ?']],
      ['the first entry', () => [entry(1)], ['acme 1 entry-missing ?']],
      ['the last entry', () => [entry(3)], ['acme 3 entry-missing ?']],
      ['the last two', () => [entry(2), entry(3)], ['acme 2 entry-missing ?', 'acme 3 entry-missing ?']],
      ['the whole chain', () => [join(root, 'acme')], [1, 2, 3].map((seq) => `acme ${seq} entry-missing ?`)],
      [
        'what leads to an incident',
        () => [join(root, 'acme/incidents')],
        [
          'acme 1 not-findable incident:acme:da1',
          'acme 2 not-findable incident:acme:da2',
          'acme 3 not-findable incident:acme:da3',
        ],
      ],
    ];
    for (const [what, gone, expected] of cases) {
      it(`${what}: it is named`, async () => {
        const head = await filled();
        for (const path of gone()) rmSync(path, { recursive: true });
        assert.deepEqual(await faults(open(), { acme: head }), expected);
      });
    }

    it('ends, also for whoever has seen the end that is lost for good, with what is left', async () => {
      const archive = createArchive(open(), testSealing);
      for (const id of ['da1', 'da2', 'da3']) await archive.append(closed(id), undefined);
      rmSync(entry(3));
      const end = await archive.tail('acme');
      assert.equal(end?.entry.seq, 2);
      assert.equal(await archive.lastSeq('acme'), 2);
      assert.equal((await archive.append(closed('da4'), { seq: 2, sha256: end.sha256 })).entry.seq, 3);
    });

    it('is not written on where the end is gone, as nobody could tell any more', async () => {
      const head = await filled();
      rmSync(entry(3));
      await assert.rejects(createArchive(open(), testSealing).append(closed('da4'), head), ChainBroken);
      assert.deepEqual(readdirSync(join(root, 'acme/entries')).length, 2);
    });
  });

  describe('whose writer dies', () => {
    /** Dies before it has put what has this in its name. */
    function dying(part: string): ArchiveStore {
      const store = open();
      return storeLike(store, {
        putNew: (name, bytes) =>
          name.includes(part) ? Promise.reject(new Error('killed')) : store.putNew(name, bytes),
      });
    }

    for (const [between, part] of [
      ['record and entry', '/entries/'],
      ['entry and what leads to it', '/incidents/'],
    ] as const) {
      it(`between ${between}: the next try goes on as if nothing had been`, async () => {
        const head = await filled();
        await assert.rejects(createArchive(dying(part), testSealing).append(closed('da4'), head), /killed/);
        const after = createArchive(open(), testSealing);
        assert.equal((await after.append(closed('da4'), head)).entry.seq, 4);
        assert.equal((await after.find('incident:acme:da4'))?.entry.seq, 4);
        assert.equal(readdirSync(join(root, 'acme/entries')).length, 4);
        assert.deepEqual(await faults(open(), { acme: head }), []);
      });
    }
  });

  it('that cannot be written says so', async () => {
    writeFileSync(root, 'a file in its place');
    const archive = createArchive(open(), testSealing);
    await assert.rejects(archive.append(closed('da1'), undefined), ArchiveError);
    await assert.rejects(archive.find('incident:acme:da1'), ArchiveError);
  });
});

function urlOf(server: Server): string {
  const address = server.address();
  assert.ok(address !== null && typeof address !== 'string');
  return `http://127.0.0.1:${address.port}/bucket`;
}

describe('an archive in a bucket', () => {
  let server: RunningS3;
  before(async function () {
    // The first time it is downloaded.
    this.timeout(300_000);
    server = await startS3();
  });
  after(() => server.stop());

  const opened = (folder: string, secretAccessKey = server.secretAccessKey) =>
    createS3Store({
      url: `${server.url}/${folder}`,
      region: 'us-east-1',
      accessKeyId: server.accessKeyId,
      secretAccessKey,
    });

  behaves(() => opened(randomUUID()));

  it('lists more than one answer holds', async function () {
    this.timeout(60_000);
    const store = opened(randomUUID());
    const names = Array.from({ length: 1_050 }, (_, index) => `${String(index + 1).padStart(10, '0')}.json`);
    for (let from = 0; from < names.length; from += 50) {
      const some = names.slice(from, from + 50);
      await Promise.all(some.map((name) => store.putNew(`acme/entries/${name}`, Buffer.from(name))));
    }
    assert.deepEqual(await store.list('acme/entries'), names);
  });

  it('that refuses us says so, without a word of the secret', async function () {
    if (!server.provesSignatures) return;
    const refused = opened(randomUUID(), 'a-wrong-secret-key').get('acme/entries/0000000001.json');
    await assert.rejects(refused, (error: Error) => {
      assert.ok(error instanceof ArchiveError);
      assert.match(error.message, /403/);
      assert.ok(!error.message.includes('a-wrong-secret-key'));
      return true;
    });
  });

  it('that is away says so, and is not waited for again at once', async () => {
    let asked = 0;
    const silent = createServer(() => (asked += 1)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const url = urlOf(silent);
    const store = createS3Store({ url, region: 'us-east-1', accessKeyId: 'id', secretAccessKey: 'secret' });
    const beganMs = Date.now();
    await assert.rejects(store.get('acme/x'), /does not answer: .*timeout/);
    // An alert that comes in waits no longer than whoever hands it to the API.
    assert.ok(Date.now() - beganMs < 6_000);
    assert.equal(asked, 2);
    await assert.rejects(store.get('acme/x'), /does not answer/);
    assert.equal(asked, 2);
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
  });

  it('is given the checksum of each thing, without which Object Lock takes nothing', async () => {
    const given: unknown[] = [];
    const locked = createServer((request, response) => {
      given.push(request.headers['x-amz-checksum-sha256']);
      response.statusCode = given.length === 2 ? 412 : 200;
      request.resume().once('end', () => response.end());
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => locked.once('listening', resolve));
    const url = urlOf(locked);
    const store = createS3Store({ url, region: 'us-east-1', accessKeyId: 'id', secretAccessKey: 'secret' });
    assert.equal(await store.putNew('acme/x', Buffer.from('x')), 'put');
    const sums = ['', '', 'x'].map((text) => createHash('sha256').update(text).digest('base64'));
    assert.deepEqual(given, sums);
    await new Promise((resolve) => locked.close(resolve));
  });

  it('of a server that writes over what is there is not used', async () => {
    const careless = createServer((request, response) => {
      request.resume().once('end', () => response.end());
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => careless.once('listening', resolve));
    const url = urlOf(careless);
    const store = createS3Store({ url, region: 'us-east-1', accessKeyId: 'id', secretAccessKey: 'secret' });
    await assert.rejects(store.putNew('acme/x', Buffer.from('x')), /does not heed If-None-Match/);
    await new Promise((resolve) => careless.close(resolve));
  });
});
