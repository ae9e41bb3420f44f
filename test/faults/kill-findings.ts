import type { Client } from '@temporalio/client';
import type { Simulator } from '../../simulator/index.js';
import { send, until } from '../../simulator/testing.js';
import { z } from 'zod';
import { MACHINE_NAMES, type Cast } from './kill-cast.js';
import type { Life } from './kill-life.js';
import type { Processes } from './kill-processes.js';

/*
 * What a life has come to, in words that are the same for every life, and what must not be so. A finding is one line
 * for people; no findings, and the kill has left no trace.
 */

const mailSchema = z.object({ text: z.string(), headers: z.record(z.string(), z.string()) });
const actionSchema = z.object({ type: z.string(), status: z.string(), machineId: z.string() });
const callSchema = z.object({
  to: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  digits: z.string().nullable(),
});

export interface Outcome {
  /** Of the incident as the API shows it: what is compared with an undisturbed life. */
  record: string[];
  /** The timeline; in which order things that run side by side have come about is open. */
  timeline: string[];
  mails: { kind: string; messageId: string; text: string }[];
  calls: z.infer<typeof callSchema>[];
  actions: string[];
  acknowledgedAt: string;
}

/** Differences that a kill may leave. Everything else on the timeline has to be as in an undisturbed life. */
const permitted: { entry: RegExp; why: string }[] = [
  {
    entry: /^mail: The connection was cut while the mail server took a mail/,
    why: 'SMTP cannot tell whether a mail that was cut at its end was taken: it is sent again with the same id',
  },
  {
    entry: /^(isolation: Isolation|release: Release) of \S+ requested from Defender\.$/,
    why: 'a device reports snapshots: what has ended by the time of the next report is not reported as under way',
  },
];

async function items<S extends z.ZodType>(simulator: Simulator, path: string, schema: S): Promise<z.output<S>[]> {
  const answer = await send('GET', `${simulator.url}${path}`);
  return answer.json(z.object({ items: z.array(schema) })).items;
}

/** Names in the place of ids, and no times. */
function anonymous(text: string, cast: Cast): string {
  const names = [
    ...cast.machineIds.map((id, index): [string, string] => [id, MACHINE_NAMES[index] ?? '']),
    [cast.alertId, 'ALERT'],
    [cast.customerId, 'CUSTOMER'],
    [cast.mailTo, 'MAIL'],
  ] as const;
  const named = names.reduce((sofar, [id, name]) => sofar.replaceAll(id, name), text);
  return named.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');
}

export async function outcomeOf(life: Life, simulator: Simulator): Promise<Outcome> {
  const { cast, final } = life;
  const duties: { id: string; kind: string; target: string; status: string; reason?: string; doneAt?: string }[] =
    final.duties;
  const devices: { name: string; isolation: string }[] = final.devices;
  const timeline: { at: string; type: string; text: { en: string } }[] = final.timeline;
  const { stage, level, attention, closeReason, slo, verdict } = final;
  const record = [
    JSON.stringify({ stage, level, attention, closeReason, slo: slo.state, judgement: verdict.judgement }),
    ...devices.map(({ name, isolation }) => `device ${name} ${isolation}`).sort(),
    ...duties
      .map(({ id, kind, target, status, reason }) => `duty ${[id, kind, target, status, reason].join(' ')}`)
      .sort(),
  ];
  const mails = (await items(simulator, '/sim/mails', mailSchema))
    .filter(({ headers }) => headers['x-mimamori-incident'] === life.incidentId)
    .map(({ text, headers }) => ({
      kind: headers['x-mimamori-kind'] ?? '',
      messageId: headers['message-id'] ?? '',
      text,
    }));
  const calls = (await items(simulator, '/sim/calls', callSchema)).filter(({ to }) => cast.phones.includes(to));
  const actions = await items(simulator, `/sim/tenants/${cast.tenantId}/machineactions`, actionSchema);
  return {
    record: record.map((line) => anonymous(line, cast)),
    timeline: timeline.map(({ type, text }) => anonymous(`${type}: ${text.en}`, cast)).sort(),
    mails,
    calls,
    actions: actions.map(({ type, status, machineId }) => anonymous(`${type} ${status} ${machineId}`, cast)).sort(),
    acknowledgedAt: duties.find(({ kind }) => kind === 'phone')?.doneAt ?? '',
  };
}

export interface Strictness {
  /** The mail in flight may have lost its answer: the same mail may be there twice. */
  mayRepeatMail: boolean;
  /** A callback of the telephone went to a dead API: the chain goes on, so that more calls are right. */
  mayMissCallback: boolean;
}

/** What differs from the undisturbed life, and what no life may ever show. */
export function findings(outcome: Outcome, undisturbed: Outcome, how: Strictness): string[] {
  const isCall = (line: string) => how.mayMissCallback && line.startsWith('call: ');
  const compared = (lines: readonly string[]) =>
    lines.filter((line) => !permitted.some(({ entry }) => entry.test(line)) && !isCall(line));
  return [
    ...difference('record', outcome.record, undisturbed.record),
    ...difference('timeline', compared(outcome.timeline), compared(undisturbed.timeline)),
    ...outcome.timeline.filter((line) => /^(warning|breach|rejected-signal):/.test(line)),
    ...difference('action', outcome.actions, undisturbed.actions),
    ...mailFindings(outcome, undisturbed, how),
    ...callFindings(outcome, undisturbed, how),
  ];
}

function difference(what: string, lines: readonly string[], expected: readonly string[]): string[] {
  const missing = [...expected];
  const extra = lines.filter((line) => {
    const index = missing.indexOf(line);
    if (index >= 0) missing.splice(index, 1);
    return index < 0;
  });
  return [...extra.map((line) => `${what} too much: ${line}`), ...missing.map((line) => `${what} missing: ${line}`)];
}

function mailFindings({ mails }: Outcome, undisturbed: Outcome, { mayRepeatMail }: Strictness): string[] {
  const first = mails.filter(
    ({ messageId }, index) => mails.findIndex((mail) => mail.messageId === messageId) === index,
  );
  const kinds = first.map(({ kind }) => kind).join(', ');
  const expected = undisturbed.mails.map(({ kind }) => kind).join(', ');
  const repeated = mails.filter((mail) => !first.includes(mail));
  return [
    ...(kinds === expected ? [] : [`mails: ${kinds} in the place of ${expected}`]),
    ...(mayRepeatMail ? [] : repeated.map(({ kind }) => `mail ${kind} twice`)),
    ...repeated.flatMap(({ kind, messageId, text }) =>
      first.some((mail) => mail.messageId === messageId && mail.text === text)
        ? []
        : [`mail ${kind} again in other words`],
    ),
  ];
}

function callFindings({ calls, acknowledgedAt }: Outcome, undisturbed: Outcome, how: Strictness): string[] {
  const count = `${calls.length} calls in the place of ${undisturbed.calls.length}`;
  return [
    ...(acknowledgedAt === '' ? ['no call was acknowledged'] : []),
    ...(how.mayMissCallback || calls.length === undisturbed.calls.length ? [] : [count]),
    ...calls
      .filter(({ startedAt }) => acknowledgedAt !== '' && startedAt > acknowledgedAt)
      .map(({ startedAt }) => `a call at ${startedAt} after the acknowledgement of ${acknowledgedAt}`),
    ...calls.slice(1).flatMap(({ startedAt }, index) => {
      const before = calls[index]?.endedAt;
      return before != null && before <= startedAt ? [] : ['two calls at the same time'];
    }),
  ];
}

/**
 * A server that dies may forget a task that it had given out for an Update and not written down; the worker that had
 * seen it fails its next one, is given the whole history, and goes on.
 */
const permittedTaskFailure = /History is out of order/;

/** Workflows of the life that cannot go on: a task that fails, an activity that is tried again and again. */
export async function stuck(client: Client, { cast, incidentId }: Life): Promise<string[]> {
  const devices = cast.machineIds.map((id) => `device:${cast.customerId}:${id}`);
  const all = [incidentId, ...devices, `phone:${cast.customerId}`];
  const found = await Promise.all(
    all.map(async (workflowId) => {
      const handle = client.workflow.getHandle(workflowId);
      const atRest = await until(
        `${workflowId} at rest`,
        async () => {
          const { raw } = await handle.describe();
          const isBusy = (raw.pendingActivities?.length ?? 0) > 0 || raw.pendingWorkflowTask != null;
          return isBusy ? undefined : true;
        },
        20_000,
      ).catch(() => undefined);
      const { events } = await handle.fetchHistory();
      const failed = (events ?? [])
        .flatMap(({ workflowTaskFailedEventAttributes: attributes }) => attributes?.failure?.message ?? [])
        .filter((message) => !permittedTaskFailure.test(message))
        .map((message) => `${workflowId}: a task failed: ${message}`);
      return [...(atRest === undefined ? [`${workflowId} does not come to rest`] : []), ...failed];
    }),
  );
  return found.flat();
}

const logLineSchema = z.object({ level: z.number(), msg: z.string() });

/** What may be said while something is being killed: what it says is tried again, and the lives show that it was. */
const expectedComplaints: readonly RegExp[] = [/^Activity failed$/];

/**
 * Warnings and errors of worker and API that no kill explains. Lines that are not JSON are those of Temporal's own core,
 * which counts its retries while the server is dead; what would matter of them, a task that fails, is in the histories.
 */
export function complaints(processes: Processes): string[] {
  return (['worker', 'api'] as const).flatMap((name) =>
    processes.log(name).flatMap((line) => {
      const entry = logLineSchema.safeParse(parsed(line)).data;
      if (entry === undefined || entry.level < 40) return [];
      return expectedComplaints.some((expected) => expected.test(entry.msg)) ? [] : [`${name}: ${line.slice(0, 600)}`];
    }),
  );
}

/** A line may have been cut by the kill. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
