import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cost } from './cost.js';
import { afterKill, manyOpen, workerStart } from './crowd.js';
import { feeds, FEEDS_BACKEND } from './feeds.js';
import type { Figure } from './figures.js';
import { alertToList, verdictToIsolate } from './latency.js';
import { backends, Place, type Backend } from './place.js';
import { rates } from './rates.js';
import { machine, report, table, type Results } from './report.js';

/*
 * npm run bench: what the service does in a second and how long it makes people wait, beside the bare workflow, on the dev
 * server in memory and on a SQLite file; then what the feeds of many customers cost. `npm run bench -- feeds` measures only
 * that, `npm run bench -- external` on the server that TEMPORAL_ADDRESS names, with two workers. Prints a table; writes bench/results.json and the measured part of docs/performance.md.
 */

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function isBackend(name: string): name is Backend {
  return backends.some((backend) => backend === name);
}

async function measure(backend: Backend): Promise<Results['backends'][number]> {
  print(`\n${backend}`);
  const startedMs = performance.now();
  const measuredAt = new Date().toISOString();
  const place = await Place.open(backend);
  try {
    const figures: Figure[] = [];
    const take = (taken: Figure[]) => {
      for (const figure of taken) print(`  ${figure.what}: ${figure.value} ${figure.unit}`);
      figures.push(...taken);
    };
    take(await rates(place, print));
    take([await alertToList(place)]);
    take([await verdictToIsolate(place)]);
    take(await cost(place));
    take(await manyOpen(place));
    take(await afterKill(place));
    take([await workerStart(place)]);
    const server = await place.serverVersion();
    return {
      backend,
      measuredAt,
      server,
      workers: place.workers,
      seconds: (performance.now() - startedMs) / 1_000,
      figures,
    };
  } finally {
    await place.close();
  }
}

const FEEDS = 'feeds';

async function measureFeeds(): Promise<NonNullable<Results['feeds']>> {
  print(`\n${FEEDS}`);
  const measuredAt = new Date().toISOString();
  return { backend: FEEDS_BACKEND, measuredAt, ...(await feeds(print)) };
}

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => name !== FEEDS && !isBackend(name));
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: unknown. Known: ${[...backends, FEEDS].join(', ')}`);
const chosen: Backend[] = asked.length === 0 ? ['memory', 'file'] : asked.filter(isBackend);
const withFeeds = asked.length === 0 || asked.includes(FEEDS);

execFileSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
});
const results: Results = { machine: machine(), backends: [] };
for (const backend of chosen) results.backends.push(await measure(backend));
if (withFeeds) results.feeds = await measureFeeds();
await report(results);
if (chosen.length > 0) print(`\n${table(results)}`);
