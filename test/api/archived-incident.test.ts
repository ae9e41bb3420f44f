import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArchiveError, ChainBroken, type Heads } from '../../src/domain/archive/entry.js';
import { incidentView, summaryOf } from '../../src/domain/incident/view.js';
import { KeyMissing } from '../../src/domain/sealing.js';
import { createArchive } from '../../src/integrations/archive/chain.js';
import { createFolderStore } from '../../src/integrations/archive/folder.js';
import { customersIn, findArchived } from '../../src/temporal/archiver.js';
import { Life } from '../domain/life.js';
import { testSealing } from '../support/keys.js';

describe('an incident in the archive, where Temporal holds the ends of the chains', () => {
  let root = '';
  let heads: Heads = {};
  const incidentId = 'incident:acme:da1';
  const archive = (sealing = testSealing) => createArchive(createFolderStore(root), sealing);
  const found = (id: string, sealing = testSealing) =>
    findArchived({ archive: archive(sealing), heads: () => Promise.resolve(heads) }, id);
  beforeEach(async () => {
    root = join(mkdtempSync(join(tmpdir(), 'mimamori-archive-')), 'archive');
    const life = new Life({ alert: { id: 'da1' } }).triage(1);
    const record = { ...life.record, customerId: 'acme', incidentId };
    const { entry, sha256 } = await archive().append(
      {
        ...{ customerId: 'acme', record, archivedAt: life.now },
        view: incidentView(record, life.now),
        summary: summaryOf(record, life.now),
        run: { id: 'a run', hasEnded: true },
      },
      undefined,
    );
    heads = { acme: { seq: entry.seq, sha256 } };
  });
  afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));

  it('is found; one that is not there is not', async () => {
    assert.equal((await found(incidentId))?.record.incidentId, incidentId);
    assert.equal(await found('incident:acme:unknown'), undefined);
    assert.equal(await found('incident:globex:unknown'), undefined);
  });

  it('is not taken for one that never was while the archive is not mounted', async () => {
    renameSync(root, `${root}.aside`);
    await assert.rejects(found(incidentId), ArchiveError);
    await assert.rejects(customersIn(archive(), heads), ArchiveError);
    assert.equal(await found('incident:globex:unknown'), undefined);
    // A new service has no archive yet.
    assert.deepEqual(await customersIn(archive(), {}), []);
  });

  it('is of a customer who is not overlooked where the archive is another one', async () => {
    renameSync(join(root, 'acme'), join(root, 'lost+found'));
    assert.deepEqual(await customersIn(archive(), heads), ['lost+found', 'acme']);
    assert.equal(await archive().lastSeq('acme'), 0);
  });

  it('that never was costs one look for the end that Temporal holds, however many there are', async () => {
    const seqs: number[] = [];
    const counting = archive();
    const at = counting.at.bind(counting);
    counting.at = (customerId, seq) => {
      seqs.push(seq);
      return at(customerId, seq);
    };
    const ask = (held: Heads) =>
      findArchived({ archive: counting, heads: () => Promise.resolve(held) }, 'incident:acme:unknown');
    for (let times = 0; times < 3; times += 1) await ask(heads);
    assert.deepEqual(seqs, [1]);
    await ask({ ...heads });
    assert.deepEqual(seqs, [1, 1]);
  });

  it('that never was is unknown also where the last entry cannot be read', async () => {
    writeFileSync(join(root, 'acme/entries/0000000001.json'), 'x');
    assert.equal(await found('incident:acme:unknown'), undefined);
    await assert.rejects(found(incidentId), ChainBroken);
  });

  it('is there no more once its customer’s keys are destroyed; while they are only missing, nobody can tell', async () => {
    const without = (isDestroyed: boolean) => {
      const gone = () => Promise.reject(new KeyMissing('the keys of acme', isDestroyed));
      return found(incidentId, { seal: gone, open: gone });
    };
    assert.equal(await without(true), undefined);
    await assert.rejects(without(false), KeyMissing);
  });
});
