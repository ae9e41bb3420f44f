import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cost } from './cost.js';
import { afterKill, manyOpen, workerStart } from './crowd.js';
import { feeds, FEEDS_BACKEND } from './feeds.js';
import type { Figure } from './figures.js';
import { alertToList, verdictToIsolate } from './latency.js';
import { backends, Place, type Backend } from './place.js';
import { rates } from './rates.js';
import { mailbox, MAILBOX_BACKEND } from './mailbox.js';
import { machine, report, table, type Results } from './report.js';

/*
 * npm run bench: what the service does in a second and how long it makes people wait, beside the bare workflow, on the dev
 * server in memory and on a SQLite file; then what the feeds of many customers cost, and what thousands of mails that wait.
 * `npm run bench -- feeds` or `-- mailbox` measures only that, `npm run bench -- external` on the server that TEMPORAL_ADDRESS names, with two workers. Prints a table; writes bench/results.json and the measured part of docs/performance.md.
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

const MAILBOX = 'mailbox';

async function measureMailbox(): Promise<NonNullable<Results['mailbox']>> {
  print(`\n${MAILBOX}`);
  const measuredAt = new Date().toISOString();
  return { backend: MAILBOX_BACKEND, measuredAt, ...(await mailbox(print)) };
}

const alone = [FEEDS, MAILBOX];
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !alone.includes(name) && !isBackend(name));
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: unknown. Known: ${[...backends, ...alone].join(', ')}`);
const chosen: Backend[] = asked.length === 0 ? ['memory', 'file'] : asked.filter(isBackend);
const isWanted = (name: string) => asked.length === 0 || asked.includes(name);

execFileSync(process.execPath, ['--import', 'tsx', 'scripts/build.ts'], {
  cwd: fileURLToPath(new URL('..', import.meta.url)),
  stdio: 'inherit',
});
const results: Results = { machine: machine(), backends: [] };
for (const backend of chosen) results.backends.push(await measure(backend));
if (isWanted(FEEDS)) results.feeds = await measureFeeds();
if (isWanted(MAILBOX)) results.mailbox = await measureMailbox();
await report(results);
if (chosen.length > 0) print(`\n${table(results)}`);
