import { z } from 'zod';
import { roundedAll, type Figure } from './figures.js';
import { ApiLife, verdict } from './lives.js';
import { atOnce, paced, quantile } from './measure.js';
import { Place, until, type Backend, type Case } from './place.js';

/*
 * How fast thousands of mails that wait in the mailbox are taken in, and how much later a customer hears of an escalation
 * meanwhile.
 */

export const MAILBOX_BACKEND: Backend = 'file';
const MAILS = Number(process.env['BENCH_MAILS'] ?? 5_000);
const CONVERSATIONS = 200;
/** Of ten mails: the others are from people whom nobody knows. */
const REPLIES_OF_TEN = 7;
const AUTO_REPLIES_OF_TEN = 2;
/** So many that the first and the last of the mails are taken beside some. */
const ESCALATIONS = 240;
const PER_SECOND = 2;
const AT_ONCE = 8;
const LOOK_EVERY_MS = 250;

const mailsSchema = z.object({
  items: z.array(z.object({ subject: z.string(), headers: z.record(z.string(), z.string()) })),
});
type Sent = z.infer<typeof mailsSchema>['items'][number];

const mailboxSchema = z.object({
  emptyAt: z.string().nullable(),
  counts: z.record(z.string(), z.number()),
  error: z.object({ message: z.string() }).nullable(),
});

async function escalate(place: Place, aCase: Case): Promise<number> {
  const told = place.whenTold(`primary ${aCase.incidentId}`);
  const startedMs = performance.now();
  const life = new ApiLife(place, aCase);
  // Whom no worker has answered in time tries again, as an analyst would: that is a part of the delay.
  await until(() => life.command('triage', verdict(2)).then(() => true), 120_000);
  await told;
  return performance.now() - startedMs;
}

async function known(place: Place, count: number): Promise<Case[]> {
  const cases = await place.newCases(count);
  await atOnce(AT_ONCE, cases, async (aCase) => {
    const life = new ApiLife(place, aCase);
    await life.accept();
    await life.known();
  });
  return cases;
}

/** As the mail programs of customers, their absence assistants and strangers write. */
function waiting(index: number, sent: readonly Sent[]): Record<string, unknown> {
  const turn = index % 10;
  const text = `We have a question about this device, number ${index}: may we use it again?`;
  const to = sent[index % sent.length];
  if (turn >= REPLIES_OF_TEN + AUTO_REPLIES_OF_TEN || to === undefined) {
    return { from: `stranger-${index}@elsewhere.example`, subject: `An offer, ${index}`, text };
  }
  const { headers, subject } = to;
  const answer = {
    from: (headers['to'] ?? '').split(',')[0],
    to: headers['reply-to'],
    subject: `Re: ${subject}`,
    inReplyTo: headers['message-id'],
    references: headers['message-id'],
    text: `${text}\n\nOn Tuesday the SOC wrote:\n${'> a line of the mail that is answered\n'.repeat(40)}`,
  };
  return turn < REPLIES_OF_TEN ? answer : { ...answer, headers: { 'Auto-Submitted': 'auto-replied' } };
}

function escalationFigure(id: string, when: string, tookMs: readonly number[], most: number | undefined): Figure {
  return {
    id: `mailbox-${id}`,
    what: `level-2 verdict → the customer's mail taken, p95, at ${PER_SECOND} a second, ${when}`,
    value: Math.round(quantile(tookMs, 0.95)),
    unit: 'ms',
    ...(most === undefined ? {} : { target: { most } }),
    detail: roundedAll({
      p50Ms: quantile(tookMs, 0.5),
      p95Ms: quantile(tookMs, 0.95),
      maxMs: quantile(tookMs, 1),
      count: tookMs.length,
    }),
  };
}

async function taken(place: Place): Promise<{ count: number; isEmpty: boolean }> {
  const { counts, emptyAt } = mailboxSchema.parse((await place.ask('GET', '/v1/mailbox')).body);
  return { count: Object.values(counts).reduce((sum, each) => sum + each, 0), isEmpty: emptyAt !== null };
}

export async function mailbox(print: (line: string) => void): Promise<{ server: string; figures: Figure[] }> {
  const place = await Place.open(MAILBOX_BACKEND, { customers: 40, pollIntervalSeconds: 3_600, mailbox: true });
  try {
    await atOnce(AT_ONCE, await known(place, CONVERSATIONS), async (aCase) => {
      await escalate(place, aCase);
    });
    const { items } = mailsSchema.parse(await place.control('GET', 'mails'));
    const sent = items.filter(({ headers }) => headers['x-mimamori-kind'] === 'primary');
    const [before, beside] = [await known(place, ESCALATIONS), await known(place, ESCALATIONS)];
    const alone = await paced(PER_SECOND, before, (aCase) => escalate(place, aCase));
    print('  the mails are written');
    await place.stopWorker();
    const start = (await taken(place)).count;
    await atOnce(
      AT_ONCE,
      Array.from({ length: MAILS }, (_, index) => waiting(index, sent)),
      async (mail) => {
        await place.control('POST', 'mails', mail);
      },
    );

    const cpuBefore = place.cpuMs();
    await place.startWorker();
    await until(async () => (await taken(place)).count > start, 60_000, LOOK_EVERY_MS);
    const startedMs = performance.now();
    const from = (await taken(place)).count;
    print('  the mails are taken in');
    const escalations = paced(PER_SECOND, beside, (aCase) => escalate(place, aCase));
    escalations.catch(() => undefined);
    let count = from;
    await until(
      async () => {
        count = (await taken(place)).count;
        return count >= start + MAILS;
      },
      900_000,
      LOOK_EVERY_MS,
    );
    const seconds = (performance.now() - startedMs) / 1_000;
    const cpuAfter = place.cpuMs();
    const meanwhile = await escalations;
    const spent = Object.entries(cpuAfter).map(([name, ms]): [string, number] => [
      `cpuMs.${name}`,
      (ms - (name === 'worker' ? 0 : (cpuBefore[name] ?? 0))) / MAILS,
    ]);
    const figures = [
      {
        id: 'mailbox-rate',
        what: `${MAILS} mails that wait: taken in`,
        value: Number(((count - from) / seconds).toFixed(1)),
        unit: 'mails a second' as const,
        target: { least: 20 },
        detail: roundedAll({ seconds, conversations: CONVERSATIONS, ...Object.fromEntries(spent) }),
      },
      escalationFigure('alone', 'no mail waits', alone, undefined),
      escalationFigure('beside', 'while they are taken in', meanwhile, 1_000),
    ];
    for (const { what, value, unit } of figures) print(`  ${what}: ${value} ${unit}`);
    return { server: await place.serverVersion(), figures };
  } finally {
    await place.close();
  }
}
