import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listArchived, notForgotten, readPositions, writePositions } from '../../src/api/archived-list.js';
import type { Archive, ChainPositions } from '../../src/domain/archive/entry.js';
import { incidentView, summaryOf } from '../../src/domain/incident/view.js';
import { KeyMissing } from '../../src/domain/sealing.js';
import { createArchive } from '../../src/integrations/archive/chain.js';
import { createFolderStore } from '../../src/integrations/archive/folder.js';
import { Life, minute } from '../domain/life.js';
import { testSealing } from '../support/keys.js';

describe('a list of what is in the archive', () => {
  let root = '';
  let archive: Archive;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mimamori-archive-'));
    archive = createArchive(createFolderStore(root), testSealing);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  /** Archived so many minutes after the beginning of time. */
  async function archived(customerId: string, alertId: string, atMinute: number, revision = 0): Promise<void> {
    const life = new Life({ alert: { id: alertId } }).triage(1);
    const incidentId = `incident:${customerId}:${alertId}`;
    const record = { ...life.record, customerId, incidentId, revision: life.record.revision + revision };
    await archive.append(
      {
        ...{ customerId, record },
        view: incidentView(record, life.now),
        summary: summaryOf(record, life.now),
        run: { id: `run of ${alertId}`, hasEnded: true },
        archivedAt: minute(atMinute),
      },
      undefined,
    );
  }

  type How = Parameters<typeof listArchived>[3];
  const none: How = { matches: () => true, known: () => Promise.resolve(new Set()) };

  async function pages(from: ChainPositions, limit: number, how: Partial<How> = {}): Promise<(string | undefined)[][]> {
    const found: (string | undefined)[][] = [];
    let next: ChainPositions | undefined = from;
    while (next !== undefined) {
      const page: Awaited<ReturnType<typeof listArchived>> = await listArchived(archive, next, limit, {
        ...none,
        ...how,
      });
      found.push(page.items.map(({ alertId }) => alertId));
      for (const item of page.items) assert.equal(item.archived, true);
      next = page.next === undefined ? undefined : readPositions(writePositions(page.next));
      assert.ok(found.length < 50);
    }
    return found;
  }

  it('is in the order of the archiving, over all customers, page by page', async () => {
    for (const [customer, id, at] of [
      ['acme', 'a1', 1],
      ['globex', 'g1', 2],
      ['acme', 'a2', 3],
      ['acme', 'a3', 4],
      ['globex', 'g2', 5],
    ] as const) {
      await archived(customer, id, at);
    }
    const ends = { acme: 3, globex: 2 };
    assert.deepEqual((await pages(ends, 50)).flat(), ['g2', 'a3', 'a2', 'g1', 'a1']);
    assert.deepEqual(
      (await pages(ends, 2)).filter((page) => page.length > 0),
      [['g2', 'a3'], ['a2', 'g1'], ['a1']],
    );
    assert.deepEqual((await pages({ globex: 2 }, 50)).flat(), ['g2', 'g1']);
  });

  it('shows an incident once, as it is in its latest entry', async () => {
    await archived('acme', 'a1', 1);
    await archived('acme', 'a2', 2);
    await archived('acme', 'a1', 3, 5);
    assert.deepEqual((await pages({ acme: 3 }, 1)).flat(), ['a1', 'a2']);
  });

  it('leaves out what does not match, and what Temporal lists itself', async () => {
    for (const [index, id] of ['a1', 'a2', 'a3', 'a4'].entries()) await archived('acme', id, index);
    const known: How['known'] = (ids) => Promise.resolve(new Set(ids.filter((id) => id.endsWith('a4'))));
    const matches: How['matches'] = ({ alertId }) => alertId !== 'a2';
    assert.deepEqual((await pages({ acme: 4 }, 2, { known, matches })).flat(), ['a3', 'a1']);
  });

  it('is not kept from being shown by an entry that cannot be read, or by one of which the key is gone', async () => {
    for (const [index, id] of ['a1', 'a2', 'a3'].entries()) await archived('acme', id, index);
    writeFileSync(join(root, 'acme/entries/0000000002.json'), 'x');
    assert.deepEqual((await pages({ acme: 3 }, 50)).flat(), ['a3', 'a1']);
    const gone = () => Promise.reject(new KeyMissing('the keys of acme were destroyed'));
    archive = createArchive(createFolderStore(root), { seal: gone, open: gone });
    const { items } = await listArchived(archive, { acme: 1 }, 50, none);
    assert.deepEqual(
      items.map(({ id, title, attention }) => ({ id, title, attention })),
      [{ id: 'incident:acme:a1', title: 'incident:acme:a1', attention: ['unreadable-summary'] }],
    );
  });

  it('is not kept from being shown by the latest entry of one of its incidents', async () => {
    await archived('acme', 'a1', 1);
    await archived('acme', 'a2', 2);
    await archived('acme', 'a1', 3, 5);
    writeFileSync(join(root, 'acme/entries/0000000003.json'), 'x');
    assert.deepEqual((await pages({ acme: await archive.lastSeq('acme') }, 50)).flat(), ['a2']);
  });

  it('is of nobody whose keys were destroyed', async () => {
    const gone = (customerId: string) =>
      customerId === 'globex'
        ? Promise.reject(new KeyMissing('the keys of globex were destroyed', true))
        : Promise.reject(new KeyMissing(`there is no key for ${customerId} among the keys`));
    const sealing = { seal: gone, open: testSealing.open.bind(testSealing) };
    assert.deepEqual(await notForgotten(sealing, ['acme', 'globex']), ['acme']);
    assert.deepEqual(await notForgotten(testSealing, ['acme', 'globex']), ['acme', 'globex']);
    assert.deepEqual(await notForgotten(undefined, ['globex']), ['globex']);
  });

  it('goes on from no position that a token does not hold', () => {
    for (const forged of [
      '',
      'bm90IGpzb24',
      Buffer.from('{"acme":-1}').toString('base64url'),
      Buffer.from('[1]').toString('base64url'),
    ]) {
      assert.equal(readPositions(forged), undefined, forged);
    }
  });
});
