import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';

/*
 * npm test: types, lint, format, mocha. The last line is `N passed, N failed`: the tests, and each check as one.
 */

interface Outcome {
  name: string;
  passed: number;
  failed: number;
  note: string;
  /** What failed and why, said again at the end: much of a long run is out of sight by then. */
  failures: string;
}

interface Finished {
  exitCode: number;
  output: string;
}

const rootDir = fileURLToPath(new URL('..', import.meta.url));

function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: rootDir, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer) => chunks.push(chunk);
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

function seconds(sinceMs: number): string {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

async function check(name: string, args: readonly string[]): Promise<Outcome> {
  const startedMs = performance.now();
  const { exitCode, output } = await run(args);
  const passed = exitCode === 0;
  process.stdout.write(`${passed ? '✔' : '✖'} ${name} (${seconds(startedMs)})\n`);
  return { name, passed: passed ? 1 : 0, failed: passed ? 0 : 1, note: '', failures: passed ? '' : output };
}

/** The number in mocha's own last lines: `  12 passing (3s)`. */
function counted(output: string, word: string): number {
  const matches = [...output.matchAll(new RegExp(`^  (\\d+) ${word}\\b`, 'gm'))];
  return Number(matches.at(-1)?.[1] ?? 0);
}

/** Mocha's account of what failed: all that follows its last count of failures. */
function failuresIn(output: string): string {
  const at = [...output.matchAll(/^  \d+ failing$/gm)].at(-1)?.index;
  return at === undefined ? '' : output.slice(at);
}

const FAULTS = 'test/faults/**/*.test.ts';
const WORKFLOWS = 'test/workflows/**/*.test.ts';
const FEEDS = 'test/process/feed*.test.ts';
/** Two workers at once, and two versions of everything: a part of npm run chaos. */
const UPGRADE = 'test/faults/upgrade.test.ts';

/** Far from Japan and from UTC: no result may depend on the clock of the machine. */
const ZONE = 'America/New_York';

/** Each with Temporal servers of its own. */
const LANES = [
  {
    name: 'faults',
    args: [
      ...['--no-config', '--require', './test/support/temporal.ts', '--timeout', '30000'],
      ...['--ignore', UPGRADE, FAULTS, WORKFLOWS, FEEDS],
    ],
  },
  { name: 'others', args: [FAULTS, WORKFLOWS, FEEDS].flatMap((files) => ['--ignore', files]) },
];

async function mocha({ name, args }: (typeof LANES)[number]): Promise<Outcome> {
  const startedMs = performance.now();
  // Temporal's native runtime has kept a process from ending whose tests were all over.
  const { exitCode, output } = await run(['--import', 'tsx', 'node_modules/mocha/bin/mocha.js', '--exit', ...args], {
    ...process.env,
    TZ: ZONE,
  });
  process.stdout.write(`\n${name} (${seconds(startedMs)})\n${output}`);
  const plain = stripVTControlCharacters(output);
  const [passed, failed, pending] = [counted(plain, 'passing'), counted(plain, 'failing'), counted(plain, 'pending')];
  // A run that broke off, or found nothing to run, is a failure that mocha has not counted.
  const brokeOff = (exitCode !== 0 && failed === 0) || passed + failed === 0;
  return {
    name,
    passed,
    failed: failed + (brokeOff ? 1 : 0),
    note: [pending > 0 ? `${pending} pending` : '', brokeOff ? `ended with exit code ${exitCode}` : '']
      .filter((part) => part !== '')
      .join(', '),
    failures: failuresIn(plain),
  };
}

/** A lane takes one core, and its Temporal servers, workers and simulators another: on fewer than four, one after the other. */
const CORES_FOR_BOTH = 4;

async function lived(): Promise<Outcome[]> {
  if (availableParallelism() >= CORES_FOR_BOTH) return Promise.all(LANES.map(mocha));
  const outcomes: Outcome[] = [];
  for (const lane of LANES) outcomes.push(await mocha(lane));
  return outcomes;
}

const startedMs = performance.now();
process.stdout.write('types, lint and format …\n');
// The compiler and the linter take a core each; mocha starts afterwards, because its tests watch the clock.
const checks = await Promise.all([
  check('types', ['node_modules/typescript/bin/tsc']),
  check('lint', ['node_modules/eslint/bin/eslint.js', '.']).then(async (lint) => [
    lint,
    await check('format', ['node_modules/prettier/bin/prettier.cjs', '--check', '.']),
  ]),
]);
process.stdout.write('tests, for some minutes …\n');
const outcomes = [...checks.flat(), ...(await lived())];

for (const { name, failures } of outcomes) {
  if (failures !== '') process.stdout.write(`\n${name}:\n${failures}`);
}

process.stdout.write(`\nSummary (${seconds(startedMs)})\n`);
for (const { name, passed, failed, note } of outcomes) {
  process.stdout.write(`  ${name.padEnd(8)}${passed} passed, ${failed} failed${note === '' ? '' : ` (${note})`}\n`);
}
const sum = (part: 'passed' | 'failed') => outcomes.reduce((total, outcome) => total + outcome[part], 0);
process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
