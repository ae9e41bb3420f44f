import { spawn } from 'node:child_process';
import { access, copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/*
 * Faults put into src/ on purpose, one at a time, in a copy of the repository: for each invariant of the service there is
 * a test that fails when it is broken. A fault whose text is no longer there, or that no test catches, fails the run.
 */

export interface DeliberateFault {
  invariant: string;
  /** What is broken, in words. */
  what: string;
  file: string;
  find: string;
  replace: string;
  /** The test file that must catch it. */
  caughtIn: string;
  /** Only the tests with this in their titles, where the file holds those of many invariants. */
  among?: string;
}

const PROPERTIES = 'test/faults/properties.test.ts';
const LATE = 'test/faults/late-answers.test.ts';

export const FAULTS: readonly DeliberateFault[] = [
  {
    invariant: 'never isolated in a tuning period',
    what: 'no last look at the tuning periods before the POST',
    file: 'src/domain/device/actions.ts',
    find: 'tuningPeriodAt(tuningPeriods, now) === undefined',
    replace: 'tuningPeriods.length >= 0',
    caughtIn: PROPERTIES,
    among: 'isolated in a tuning period',
  },
  {
    invariant: 'never isolated in a tuning period',
    what: 'the verdict does not look at the tuning periods',
    file: 'src/domain/incident/judge.ts',
    find: "  if (tuningPeriodAt(periods, now) !== undefined) return { ...judged, waived: 'tuning-period' };\n",
    replace: '',
    caughtIn: PROPERTIES,
    among: 'isolated in a tuning period',
  },
  {
    invariant: 'a tuning period that begins cancels what has not succeeded',
    what: 'isolations under way are not looked for',
    file: 'src/domain/incident/asks.ts',
    find: '  if (tuningPeriodAt(periods, now) === undefined) return [];',
    replace: '  if (periods.length >= 0 || now === undefined) return [];',
    caughtIn: 'test/workflows/time.test.ts',
    among: 'a tuning period that begins later',
  },
  {
    invariant: 'never released without an instruction for every holder',
    what: 'one incident’s release takes the device from the other',
    file: 'src/domain/device/evolve.ts',
    find: "return othersHold ? 'held' : 'releasing';",
    replace: "return 'releasing';",
    caughtIn: PROPERTIES,
    among: 'without an order',
  },
  {
    invariant: 'never released without an instruction for every holder',
    what: 'a withdrawal that came too late holds nothing beside a release',
    file: 'src/domain/device/evolve.ts',
    find: 'const holders = letsWithdrawnGo ? record',
    replace: 'const holders = !letsWithdrawnGo ? record',
    caughtIn: LATE,
  },
  {
    invariant: 'mails go to the customer’s own addresses',
    what: 'the customer’s mail is copied to somebody else',
    file: 'src/domain/templates/render.ts',
    find: 'cc: [...customer.mail.cc],',
    replace: 'cc: [...customer.mail.cc, service.socMailTo],',
    caughtIn: PROPERTIES,
    among: 'a mail goes to',
  },
  {
    invariant: 'one mail, one Message-ID',
    what: 'the Message-ID leaves out which mail it is',
    file: 'src/domain/templates/thread.ts',
    find: 'return `<${encode(incidentId)}.${encode(dutyId)}@${mailDomain}>`;',
    replace: 'return `<${encode(incidentId)}.${encode(dutyId.slice(0, 5))}@${mailDomain}>`;',
    caughtIn: PROPERTIES,
    among: 'one mail has one Message-ID',
  },
  {
    invariant: 'a mail that is tried again has the same Message-ID',
    what: 'the mail program makes one up for each try',
    file: 'src/integrations/mail/message.ts',
    find: '    messageId,\n',
    replace: '',
    caughtIn: 'test/integrations/mail.test.ts',
  },
  {
    invariant: 'nothing owed is forgotten',
    what: 'a device tells each incident once and never again',
    file: 'src/domain/device/evolve.ts',
    find: 'return digest === record.told[incidentId] ||',
    replace: 'return record.told[incidentId] !== undefined ||',
    caughtIn: PROPERTIES,
    among: 'nothing owed is forgotten',
  },
  {
    invariant: 'nothing owed is forgotten',
    what: 'what was asked for during a release and called off stays open',
    file: 'src/domain/device/evolve.ts',
    find: "=> state === 'wanted' && want !== 'isolate';",
    replace: "=> state === 'wanted' && want === 'isolate' && state !== 'wanted';",
    caughtIn: LATE,
  },
  {
    invariant: 'an isolation that nobody wants is cancelled',
    what: 'what Defender took just before it was called off is let run',
    file: 'src/workflows/device.ts',
    find: "const isTakenTooLate = current.cancelled && step.outcome === 'requested';",
    replace: "const isTakenTooLate = current.cancelled && step.outcome === 'released';",
    caughtIn: LATE,
  },
  {
    invariant: 'an isolation that nobody wants is cancelled',
    what: 'a raise forgets the request that still stands',
    file: 'src/domain/incident/verdicts.ts',
    find: 'keepsRequest: fact.keepsRequests === true && isStillHeld(device)',
    replace: 'keepsRequest: fact.keepsRequests === true && isStillHeld(device) && fact.actor === ""',
    caughtIn: LATE,
  },
  {
    invariant: 'an isolation is done when Defender says so',
    what: 'a request that was only taken counts as isolated',
    file: 'src/domain/incident/news.ts',
    find: "if (report.hold.state === 'isolated') return true;",
    replace: "if (['wanted', 'isolated'].includes(report.hold.state)) return true;",
    caughtIn: PROPERTIES,
    among: 'an isolation is done',
  },
  {
    invariant: 'level 1 contacts nobody who was not told before',
    what: 'an all-clear owes a primary',
    file: 'src/domain/incident/duties.ts',
    find: 'const owesMail = (): boolean => verdict.level >= 2 ||',
    replace: 'const owesMail = (): boolean => verdict.level >= 1 ||',
    caughtIn: PROPERTIES,
    among: 'level 1 contacts',
  },
  {
    invariant: 'the telephone belongs to level 4',
    what: 'level 3 rings too',
    file: 'src/domain/incident/duties.ts',
    find: 'const wanted = currentVerdict(record)?.level === 4;',
    replace: 'const wanted = (currentVerdict(record)?.level ?? 0) >= 3;',
    caughtIn: PROPERTIES,
    among: 'level 1 contacts',
  },
  {
    invariant: 'no isolation without a verdict of 3 or 4',
    what: 'level 2 concerns the device too',
    file: 'src/domain/incident/verdicts.ts',
    find: '  if (body.level <= 2) return [];',
    replace: '  if (body.level <= 1) return [];',
    caughtIn: PROPERTIES,
    among: 'no device is isolated but',
  },
  {
    invariant: 'a server is left alone without an explicit word',
    what: '“leave” isolates',
    file: 'src/domain/incident/judge.ts',
    find: "    if (servers === 'leave') return { ...judged, waived: 'server-left' };\n",
    replace: '',
    caughtIn: 'test/domain/duties.test.ts',
    among: 'a server, with leave',
  },
  {
    invariant: 'a device of another name is not touched',
    what: 'the name is not compared',
    file: 'src/domain/incident/judge.ts',
    find: "  if (!nameMatches(device)) return { ...judged, refused: 'device-mismatch' };\n",
    replace: '',
    caughtIn: PROPERTIES,
    among: 'no device is isolated but',
  },
  {
    invariant: 'the timeline only grows',
    what: 'old entries are dropped',
    file: 'src/domain/incident/evolve.ts',
    find: 'timeline: [...after.timeline, ...narrate(',
    replace: 'timeline: [...after.timeline.slice(-6), ...narrate(',
    caughtIn: PROPERTIES,
    among: 'the timeline only grows',
  },
  {
    invariant: 'a breach at level 3–4 never goes away',
    what: 'it is not kept when the verdict changes',
    file: 'src/domain/incident/evolve.ts',
    find: "if (state !== 'breached' || dueAt === null) return record;",
    replace: "if (state !== 'breached' || dueAt === null || record.revision > 0) return record;",
    caughtIn: 'test/domain/slo.test.ts',
    among: 'never goes away',
  },
  {
    invariant: 'a breach is noted',
    what: 'nobody writes it down',
    file: 'src/domain/incident/slo.ts',
    find: 'if (record.breaches.some((breach) => breach.dueAt === dueAt)) return undefined;',
    replace: 'if (record.breaches.every((breach) => breach.dueAt !== dueAt)) return undefined;',
    caughtIn: 'test/domain/slo.test.ts',
    among: 'is noted once',
  },
  {
    invariant: 'the SOC is warned at 50, 75 and 90 %',
    what: '75 % is left out',
    file: 'src/domain/incident/slo.ts',
    find: 'WARN_PERCENTS = [50, 75, 90]',
    replace: 'WARN_PERCENTS = [50, 90]',
    caughtIn: 'test/domain/slo.test.ts',
  },
  {
    invariant: 'one action at a time; look before the POST',
    what: 'posts beside an action that is under way',
    file: 'src/domain/device/actions.ts',
    find: "return found.action.type === type ? { do: 'take', step: found } : { do: 'wait', action: found.action };",
    replace: "return { do: 'post' };",
    caughtIn: PROPERTIES,
    among: 'one action under way',
  },
  {
    invariant: 'one action at a time; look before the POST',
    what: 'posts what is already true',
    file: 'src/domain/device/actions.ts',
    find: "  if (found.outcome === outcome && !isUnknown) return { do: 'take', step: found };\n",
    replace: '',
    caughtIn: PROPERTIES,
    among: 'one action under way',
  },
  {
    invariant: 'no call after an acknowledgement',
    what: 'a second copy of the request rings again',
    file: 'src/domain/phone/evolve.ts',
    find: '  if (before !== undefined && request.seq <= before.seq) return record;\n',
    replace: '',
    caughtIn: 'test/domain/device-and-phone.test.ts',
    among: 'telephone',
  },
  {
    invariant: 'calls stop at the acknowledgement',
    what: 'the key settles nothing',
    file: 'src/domain/phone/evolve.ts',
    find: "return settleAsks(acknowledged, 'acknowledged', at, { acknowledgedBy: call.contactName });",
    replace: 'return acknowledged;',
    caughtIn: 'test/domain/device-and-phone.test.ts',
  },
  {
    invariant: 'a straggling request isolates nothing',
    what: 'an older number is taken for news',
    file: 'src/domain/device/evolve.ts',
    find: '  if (before !== undefined && request.seq <= before.seq) return record;\n',
    replace: '',
    caughtIn: 'test/domain/device-and-phone.test.ts',
    among: 'a straggler with an older',
  },
  {
    invariant: 'an old report is no news',
    what: 'versions are not compared',
    file: 'src/domain/incident/news.ts',
    find: 'return device.report === null || report.version > device.report.version;',
    replace: 'return true;',
    caughtIn: 'test/workflows/races.test.ts',
    among: 'reports that come twice',
  },
  {
    invariant: 'a record survives JSON',
    what: 'a number that JSON cannot hold',
    file: 'src/domain/incident/opening.ts',
    find: '    seq: 0,\n',
    replace: '    seq: Number.NEGATIVE_INFINITY,\n',
    caughtIn: PROPERTIES,
    among: 'written down and read again',
  },
  {
    invariant: 'the same alert again is one incident',
    what: 'an older version of the alert overwrites the newer',
    file: 'src/domain/alert.ts',
    find: 'toMs(alert.lastUpdateAt) < toMs(known.lastUpdateAt)',
    replace: 'toMs(alert.lastUpdateAt) > toMs(known.lastUpdateAt)',
    caughtIn: 'test/process/alert-updates.test.ts',
  },
  {
    invariant: 'the same Idempotency-Key does nothing twice',
    what: 'handled keys are not looked up',
    file: 'src/domain/incident/judge.ts',
    find: '? handled[idempotency.key] : undefined;',
    replace: '? undefined : undefined;',
    caughtIn: 'test/process/concurrency.test.ts',
  },
  {
    invariant: 'histories go on replaying',
    what: 'two commands have changed places',
    file: 'src/workflows/incident.ts',
    find: '() => devices.ask(), ringOrCancel]',
    replace: 'ringOrCancel, () => devices.ask()]',
    caughtIn: 'test/workflows/replay.test.ts',
  },
];

export interface BrokenResult {
  invariant: string;
  file: string;
  what: string;
  /** Titles of the tests that failed; null when none did. */
  caughtBy: string[] | null;
}

const rootDir = fileURLToPath(new URL('../..', import.meta.url));
const LONGEST_TEST_MS = 300_000;

const reportSchema = z.object({
  stats: z.object({ passes: z.int() }),
  failures: z.array(z.object({ fullTitle: z.string() })),
});

function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'], timeout: LONGEST_TEST_MS });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function copyRepository(to: string): Promise<void> {
  const listed = await run('git', ['ls-files', '-coz', '--exclude-standard'], rootDir);
  for (const file of listed.split('\0')) {
    // A file that was removed is still listed until the removal is committed.
    if (file === '' || !(await exists(join(rootDir, file)))) continue;
    await mkdir(dirname(join(to, file)), { recursive: true });
    await copyFile(join(rootDir, file), join(to, file));
  }
  for (const shared of ['node_modules', '.cache']) await symlink(join(rootDir, shared), join(to, shared));
}

/** The titles of the tests that fail, up to the first. */
async function failing(folder: string, testFile: string, among: string | undefined, bail: boolean): Promise<string[]> {
  const output = join(folder, 'mocha-report.json');
  const only = among === undefined ? [] : ['--grep', among];
  await rm(output, { force: true });
  const mocha = ['--import', 'tsx', 'node_modules/mocha/bin/mocha.js', '--no-config', '--timeout', '60000'];
  const options = ['--require', './test/support/temporal.ts', '--reporter', 'json', '--reporter-option'];
  const args = [...mocha, ...options, `output=${output}`, ...(bail ? ['--bail'] : []), ...only, '--exit', testFile];
  await run(process.execPath, args, folder);
  if (!(await exists(output))) return [];
  const { stats, failures } = reportSchema.parse(JSON.parse(await readFile(output, 'utf8')));
  if (!bail && stats.passes === 0) throw new Error(`No test ran in ${testFile}.`);
  // A hook that fails says that nothing could be tried, not that the fault was noticed.
  return failures.map(({ fullTitle }) => fullTitle).filter((title) => !title.includes('" hook'));
}

/** Puts every fault of the table in, one at a time, and sees who notices. */
export async function breakOnPurpose(
  print: (line: string) => void,
  faults: readonly DeliberateFault[] = FAULTS,
): Promise<BrokenResult[]> {
  const folder = join(rootDir, '.cache', `broken-on-purpose-${process.pid}`);
  await rm(folder, { recursive: true, force: true });
  const results: BrokenResult[] = [];
  try {
    await copyRepository(folder);
    const testFiles = [...new Set(faults.map(({ caughtIn }) => caughtIn))];
    const unsound = new Map<string, string>();
    for (const testFile of testFiles) {
      const [title] = await failing(folder, testFile, undefined, false);
      if (title !== undefined) unsound.set(testFile, title);
    }
    for (const fault of faults) {
      const title = unsound.get(fault.caughtIn);
      if (title === undefined) results.push(await breakOne(folder, fault, print));
      else {
        const { invariant, file, what, caughtIn } = fault;
        print(`✖ ${invariant} (${what}): ${caughtIn} fails with nothing broken: ${title}`);
        results.push({ invariant, file, what, caughtBy: null });
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return results;
}

async function breakOne(
  folder: string,
  { invariant, what, file, find, replace, caughtIn, among }: DeliberateFault,
  print: (line: string) => void,
): Promise<BrokenResult> {
  const path = join(folder, file);
  const sound = await readFile(path, 'utf8');
  const parts = sound.split(find);
  if (parts.length !== 2) {
    print(`✖ ${invariant}: the text to break is not found once in ${file}: ${what}`);
    return { invariant, file, what, caughtBy: null };
  }
  await writeFile(path, parts.join(replace));
  const titles = await failing(folder, caughtIn, among, true);
  await writeFile(path, sound);
  const caughtBy = titles.length > 0 ? titles.map((title) => `${caughtIn}: ${title}`) : null;
  print(`${caughtBy === null ? '✖' : '✔'} ${invariant} (${what}): ${caughtBy?.join('; ') ?? 'nobody noticed'}`);
  return { invariant, file, what, caughtBy };
}
