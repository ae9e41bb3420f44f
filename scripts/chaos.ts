import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format } from 'prettier';
import { breakOnPurpose } from '../test/faults/broken-on-purpose.js';
import { flood } from '../test/faults/flood.js';
import { HTTP_ENDPOINTS, HTTP_TABLE, httpKinds, MAIL_SERVER_TABLE, MAIL_TABLE } from '../test/faults/fault-table.js';
import { Ground, killAtRandom, killAtSteps, MAX_LIVES, type Cell } from '../test/faults/kill-matrix.js';
import { outage } from '../test/faults/kill-outage.js';
import { victims, type Victim } from '../test/faults/kill-processes.js';
import { steps } from '../test/faults/kill-steps.js';

/*
 * npm run chaos: the long forms of what test/faults does in short. Its summary goes into docs/reliability.md.
 *
 * --seed N repeats the kills at random moments and the properties of a run; --only kill|flood|upgrade|faults|properties|broken
 * runs one part.
 */

const parts = ['kill', 'flood', 'upgrade', 'faults', 'properties', 'broken'] as const;
type Part = (typeof parts)[number];

interface Result {
  title: string;
  passed: boolean;
  tookMs: number;
  /** Markdown, for the document. */
  lines: string[];
  failures: string[];
}

type Findings = Pick<Result, 'lines' | 'failures'>;

const faultMatrixFile = 'test/faults/fault-matrix.test.ts';
const upgradeFile = 'test/faults/upgrade.test.ts';
const propertiesFile = 'test/faults/properties.test.ts';

const rootDir = fileURLToPath(new URL('..', import.meta.url));
const documentFile = join(rootDir, 'docs/reliability.md');

/** So many lives stand at their steps at once: more would hold requests for longer than a client waits. */
const LIVES_AT_ONCE = 8;
const RANDOM_ROUNDS = 4;
const OUTAGE_MS = 600_000;
const PROPERTY_RUNS = 1_000;
const FLOOD = {
  alerts: 12_000,
  inScope: 300,
  // What is changed meanwhile moves to the end, and what was not read yet forward.
  listed: { alertOrder: 'oldest-updated', alertsPerAnswer: 10_000 },
  changesAfterPages: [6, 12, 18],
  settleMs: 2_700_000,
} as const;
const FLOOD_KILLS = 5;
/** A kill comes so many pages after the one before, at most. */
const FLOOD_PAGES_BETWEEN_KILLS = 6;

const { values } = parseArgs({ options: { seed: { type: 'string' }, only: { type: 'string' } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const only = parts.find((part) => part === values.only);

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`;
}

/** mulberry32: small, and the same everywhere. */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Every step × every victim, two victims at once, random moments, and an outage of Temporal. */
async function kill(): Promise<Result[]> {
  const results: Result[] = [];
  const cells: Cell[] = [];
  // Hardly anything happens while it lasts: it is lived beside the others.
  const away: Result[] = [];
  const outageIsOver = section(away, 'Temporal away while alerts come in', async (ground) => {
    const { refusals, alerts, slowestMs } = await outage(ground, MAX_LIVES - 1, { lastsMs: OUTAGE_MS, everyMs: 2_000 });
    const sum = `${seconds(OUTAGE_MS)} without it, ${alerts} alerts: ${refusals} answers of 503, the slowest after ${(slowestMs / 1000).toFixed(1)} s; afterwards every alert was one incident.`;
    return { lines: [sum], failures: [] };
  });
  await section(results, 'Every process killed at every step', async (ground) => {
    for (const victim of victims) {
      for (let from = 0; from < steps.length; from += LIVES_AT_ONCE) {
        cells.push(...told(await killAtSteps(ground, [victim], steps.slice(from, from + LIVES_AT_ONCE))));
      }
    }
    return { lines: matrix(cells), failures: failuresOf(cells) };
  });
  await section(results, 'Two processes killed at once', async (ground) => {
    const random = randomFrom(seed);
    const found: Cell[] = [];
    for (const [index, victim] of victims.entries()) {
      const pair = [victim, victims[(index + 1) % victims.length] ?? victim];
      const chosen = steps.filter(() => random() < LIVES_AT_ONCE / steps.length).slice(0, LIVES_AT_ONCE);
      found.push(...told(await killAtSteps(ground, pair, chosen)));
    }
    return {
      lines: [`${found.length} lives, each with two of the three killed at one step.`],
      failures: failuresOf(found),
    };
  });
  await section(results, 'Kills at random moments', async (ground) => {
    const random = randomFrom(seed);
    const found: Cell[] = [];
    for (let round = 0; round < RANDOM_ROUNDS; round += 1) {
      found.push(...told(await killAtRandom(ground, { lives: 5, kills: 5, random })));
    }
    const { worker, api, temporal } = ground.processes.kills;
    const sum = `${found.length} lives; killed: worker ${worker}, API ${api}, Temporal ${temporal} times.`;
    return { lines: [sum], failures: failuresOf(found) };
  });
  await outageIsOver;
  return [...results, ...away];
}

/** A tenant's bad night: what comes in by itself, while worker and Temporal are killed. */
async function flooded(): Promise<Result> {
  const title = `${FLOOD.alerts} alerts at once, ${FLOOD.inScope} of them in scope`;
  print(`\n${title}`);
  const startedMs = performance.now();
  const random = randomFrom(seed);
  const whom: (readonly Victim[])[] = [['worker'], ['temporal'], ['worker', 'temporal']];
  const kills = Array.from({ length: FLOOD_KILLS }, () => ({
    victims: whom[Math.floor(random() * whom.length)] ?? [],
    afterPages: 1 + Math.floor(random() * FLOOD_PAGES_BETWEEN_KILLS),
  }));
  const done = await flood({ ...FLOOD, kills, random, isThrottled: () => random() < 0.5 }).then(
    ({ findings, counts, pages, throttled, lookUps, mostEvents, tookMs, kills: killed }): Findings => ({
      lines: [
        `Each changed ${FLOOD.changesAfterPages.length} times while the feed read; killed: worker ${killed.worker}, Temporal ${killed.temporal} times; ${pages} pages answered, ${throttled} throttled. After ${seconds(tookMs)} everything was in its place: ${FLOOD.inScope} incidents open with their newest content, all others ended with their reason.`,
        '',
        `The feed has seen ${counts.seen} versions: opened ${counts.opened}, updated ${counts.updated}, unchanged ${counts.unchanged}, refused ${counts.refused}, rejected ${counts.rejected}. At most ${mostEvents} history events for an alert that is out of scope by itself; ${lookUps} look-ups of devices, none for such an alert.`,
      ],
      failures: findings,
    }),
    (error: unknown): Findings => ({ lines: [], failures: [messageOf(error)] }),
  );
  const result = { title, passed: done.failures.length === 0, tookMs: performance.now() - startedMs, ...done };
  report(result);
  return result;
}

/** A service of its own for each, whose logs are looked through at its end. */
async function section(results: Result[], title: string, run: (ground: Ground) => Promise<Findings>): Promise<void> {
  print(`\n${title}`);
  const startedMs = performance.now();
  const done = await onGround(run).catch((error: unknown) => ({ lines: [], failures: [messageOf(error)] }));
  const result = { title, passed: done.failures.length === 0, tookMs: performance.now() - startedMs, ...done };
  results.push(result);
  report(result);
}

async function onGround(run: (ground: Ground) => Promise<Findings>): Promise<Findings> {
  const ground = await Ground.open();
  let done: Findings;
  try {
    done = await run(ground).catch((error: unknown) => ({ lines: [], failures: [messageOf(error)] }));
  } finally {
    await ground.close();
  }
  const failures = [...done.failures, ...ground.complaints()];
  if (failures.length === 0) ground.processes.forget();
  else print(`  Logs: ${ground.processes.dataDir}`);
  return { ...done, failures };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function report({ title, passed, tookMs, failures }: Result): void {
  print(`  ${title}: ${passed ? 'passed' : 'FAILED'} (${seconds(tookMs)})`);
  for (const failure of failures) print(`    ${failure}`);
}

function told(cells: Cell[]): Cell[] {
  for (const { step, victims: killed, tookMs, findings } of cells) {
    print(`  ${findings.length === 0 ? 'ok    ' : 'FAILED'} ${killed}: ${step} (${seconds(tookMs)})`);
    for (const finding of findings) print(`           ${finding}`);
  }
  return cells;
}

function failuresOf(cells: readonly Cell[]): string[] {
  return cells.flatMap(({ step, victims: killed, findings }) =>
    findings.map((finding) => `${killed} killed at "${step}": ${finding}`),
  );
}

/** Steps × victims: how long the life took from its beginning to its end, or that it failed. */
function matrix(cells: readonly Cell[]): string[] {
  const shown = (step: string, victim: string) => {
    const cell = cells.find((candidate) => candidate.step === step && candidate.victims === victim);
    if (cell === undefined) return '–';
    return cell.findings.length === 0 ? seconds(cell.tookMs) : '**failed**';
  };
  return [
    `| killed at | ${victims.join(' | ')} |`,
    `| --- | ${victims.map(() => '---:').join(' | ')} |`,
    ...steps.map(({ name }) => `| ${name} | ${victims.map((victim) => shown(name, victim)).join(' | ')} |`),
  ];
}

const marks = { overcome: '·', recovers: 'R', told: 'T' } as const;

/** Kinds × endpoints: what must have happened, and did. */
function faultMatrix(passed: readonly string[]): string[] {
  const row = (name: string, cells: readonly string[]) => `| ${[name, ...cells].join(' | ')} |`;
  const others = Object.entries({ ...MAIL_TABLE, ...MAIL_SERVER_TABLE });
  return [
    `${passed.length} tests passed. ${marks.overcome}: works all the same. ${marks.recovers}: \`attention\` and the queue say so within a minute while it goes on; recovers by itself. ${marks.told}: refused for good; \`attention\`, the queue and a mail to the SOC within a minute; an analyst has it tried again.`,
    '',
    row('fault', HTTP_ENDPOINTS),
    row(
      '---',
      HTTP_ENDPOINTS.map(() => ':-:'),
    ),
    ...httpKinds.map((kind) =>
      row(
        kind,
        HTTP_ENDPOINTS.map((endpoint) => marks[HTTP_TABLE[endpoint][kind].is]),
      ),
    ),
    '',
    row('mail server', ['']),
    row('---', [':-:']),
    ...others.map(([name, { must }]) => row(name, [marks[must.is]])),
  ];
}

/** Tests that have a long form of their own. */
async function mocha(
  title: string,
  files: readonly string[],
  env: Record<string, string>,
  lines: (passed: readonly string[]) => string[],
): Promise<Result> {
  print(`\n${title}`);
  const startedMs = performance.now();
  const args = ['node_modules/mocha/bin/mocha.js', '--no-config', '--require', './test/support/temporal.ts'];
  const child = spawn(process.execPath, ['--import', 'tsx', ...args, '--timeout', '600000', ...files], {
    cwd: rootDir,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    process.stdout.write(chunk);
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const output = Buffer.concat(chunks).toString('utf8');
  const passed = [...output.matchAll(/✔ (.+?)(?: \(\d+ms\))?$/gm)].map(([, name]) => name ?? '');
  const failures = exitCode === 0 ? [] : [`${/(\d+) failing/.exec(output)?.[1] ?? 'some'} failed: see the output`];
  const result = {
    title,
    passed: exitCode === 0,
    tookMs: performance.now() - startedMs,
    lines: lines(passed),
    failures,
  };
  report(result);
  return result;
}

/** Does a test notice when something is broken? */
async function broken(): Promise<Result> {
  const title = 'Broken on purpose';
  print(`\n${title}`);
  const startedMs = performance.now();
  const unusable: string[] = [];
  const found = await breakOnPurpose(print).catch((error: unknown) => {
    unusable.push(messageOf(error));
    return [];
  });
  const unnoticed = found.filter(({ caughtBy }) => caughtBy === null);
  const failures = [...unusable, ...unnoticed.map(({ file, what }) => `${file}: nobody noticed: ${what}`)];
  const result = {
    title,
    passed: failures.length === 0,
    tookMs: performance.now() - startedMs,
    lines: [
      `${found.length} faults put into the code one by one, ${found.length - unnoticed.length} noticed by a test.`,
      '',
      '| invariant | broken how | caught by |',
      '| --- | --- | --- |',
      ...found.map(
        ({ invariant, what, caughtBy }) => `| ${invariant} | ${what} | ${caughtBy?.join('; ') ?? '**nobody**'} |`,
      ),
    ],
    failures,
  };
  report(result);
  return result;
}

async function runPart(part: Part): Promise<Result[]> {
  switch (part) {
    case 'kill':
      return kill();
    case 'flood':
      return [await flooded()];
    case 'faults':
      return [await mocha('The fault matrix in full', [faultMatrixFile], { CHAOS: '1' }, faultMatrix)];
    case 'upgrade': {
      const title = 'Two versions side by side, with incidents open in every stage';
      return [await mocha(title, [upgradeFile], {}, (passed) => passed.map((name) => `- ${name}`))];
    }
    case 'properties': {
      const env = { CHAOS_SEED: String(seed), CHAOS_RUNS: String(PROPERTY_RUNS) };
      const title = `Properties, ${PROPERTY_RUNS} stories each`;
      return [await mocha(title, [propertiesFile], env, (passed) => passed.map((name) => `- ${name}`))];
    }
    case 'broken':
      return [await broken()];
  }
}

/** Each part has its place in the document, with the seed and the day of its last run. */
async function writeSummary(part: Part, results: readonly Result[]): Promise<void> {
  const document = readFileSync(documentFile, 'utf8');
  const [beginMark, endMark] = [`<!-- chaos ${part}: begin -->`, `<!-- chaos ${part}: end -->`];
  const [begin, end] = [document.indexOf(beginMark), document.indexOf(endMark)];
  if (begin < 0 || end < begin) throw new Error(`${documentFile} has no ${beginMark} … ${endMark}`);
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  const lines = [
    `Seed ${seed}, ${new Date().toISOString().slice(0, 10)}; ${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}, ${gigabytes} GB, ${platform()} ${release()}, Node ${process.version}.`,
    ...results.flatMap((result) => [
      '',
      `### ${result.title}: ${result.passed ? 'passed' : 'failed'} (${seconds(result.tookMs)})`,
      '',
      ...result.lines,
      ...result.failures.flatMap((failure) => ['', `- ${failure.replaceAll('\n', ' ').slice(0, 300)}`]),
    ]),
  ];
  const text = `${document.slice(0, begin)}${beginMark}\n\n${lines.join('\n')}\n\n${document.slice(end)}`;
  writeFileSync(documentFile, await format(text, { parser: 'markdown', printWidth: 120 }));
}

async function main(): Promise<number> {
  if (values.only !== undefined && only === undefined) throw new Error(`--only is one of ${parts.join(', ')}`);
  if (!Number.isSafeInteger(seed)) throw new Error('--seed is a whole number');
  print(`Seed ${seed}: npm run chaos -- --seed ${seed}${only === undefined ? '' : ` --only ${only}`}`);
  const startedMs = performance.now();
  const results: Result[] = [];
  for (const part of only === undefined ? parts : [only]) {
    const done = await runPart(part);
    await writeSummary(part, done);
    results.push(...done);
  }
  const tookMs = performance.now() - startedMs;
  const failed = results.filter(({ passed }) => !passed).length;
  print(`\n${results.length - failed} passed, ${failed} failed (${seconds(tookMs)}); seed ${seed}`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${messageOf(error)}\n`);
  return 1;
});
