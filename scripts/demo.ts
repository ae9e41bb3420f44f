import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/*
 * npm run demo: against a running `npm start`, one alert of each level from detection to closure, by the real API.
 * Prints what happens as it happens; exits non-zero when something is not as the service promises.
 */

const api = `http://127.0.0.1:${process.env['API_PORT'] ?? '8080'}`;
const simulator = `http://127.0.0.1:${process.env['SIMULATOR_PORT'] ?? '9100'}`;
const STEP_TIMEOUT_MS = 60_000;
const POLL_MS = 150;

const customer = { id: 'acme', tenantId: '11111111-1111-4111-8111-111111111111', instructor: 'sato' };
const writer = 'sato@acme.example';

const incidentSchema = z.object({
  stage: z.string(),
  closeReason: z.string().optional(),
  devices: z.array(z.object({ name: z.string(), isolation: z.string() })),
  attention: z.array(z.string()),
  customerMails: z.array(
    z.object({ messageId: z.string().nullable(), mayBe: z.array(z.object({ kind: z.string() })) }),
  ),
  inquiry: z.object({ id: z.string(), state: z.string() }).nullable(),
  timeline: z.array(
    z.object({ at: z.string(), type: z.string(), actor: z.string(), text: z.object({ en: z.string() }) }),
  ),
});
type Incident = z.infer<typeof incidentSchema>;

const mailsSchema = z.object({
  items: z.array(z.object({ subject: z.string(), text: z.string(), headers: z.record(z.string(), z.string()) })),
});

function token(): string {
  const given = process.env['OPERATOR_TOKEN'] ?? '';
  if (given !== '') return given;
  const file = join(fileURLToPath(new URL('..', import.meta.url)), '.data', 'operator-token');
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    throw new Error('No token: set OPERATOR_TOKEN to what `npm start` has printed.');
  }
}

async function ask(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { Authorization: `Bearer ${token()}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** Follows one incident, printing every new line of its timeline. */
class Story {
  private told = 0;

  constructor(readonly id: string) {}

  private get url(): string {
    return `${api}/v1/incidents/${encodeURIComponent(this.id)}`;
  }

  async until(what: string, holds: (incident: Incident) => boolean): Promise<Incident> {
    const deadlineMs = Date.now() + STEP_TIMEOUT_MS;
    for (;;) {
      const incident = incidentSchema.parse(await ask('GET', this.url));
      for (const { at, actor, text } of incident.timeline.slice(this.told)) {
        print(`    ${at.slice(11, 19)}  ${actor.padEnd(9)} ${text.en.replaceAll(/\s*\n\s*/g, ' ')}`);
      }
      this.told = incident.timeline.length;
      if (holds(incident)) return incident;
      if (Date.now() > deadlineMs) throw new Error(`${this.id}: waited in vain: ${what} (stage ${incident.stage})`);
      await sleep(POLL_MS);
    }
  }

  async command(name: string, body: unknown): Promise<void> {
    print(`  > POST …/${name}`);
    await ask('POST', `${this.url}/${name}`, body);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function expect(condition: boolean, what: string): void {
  if (!condition) throw new Error(`Not as promised: ${what}`);
}

const texts = {
  detection: '不審な PowerShell が既知のローダーを取得しました。',
  analysis: 'ローダーが実行され、外部のサーバーと通信しました。',
  countermeasures: '端末をネットワークから切り離したまま、資格情報を変更してください。',
};

async function raise(level: number): Promise<Story> {
  const id = `demo${level}-${Date.now().toString(36)}`;
  const alert = await ask('POST', `${simulator}/sim/tenants/${customer.tenantId}/alerts`, {
    id,
    severity: 'High',
    title: `Suspicious PowerShell download (demo, level ${level})`,
  });
  const posted = z
    .object({ incidentId: z.string() })
    .parse(await ask('POST', `${api}/v1/customers/${customer.id}/alerts`, alert));
  return new Story(posted.incidentId);
}

async function kindsOf(id: string): Promise<(string | undefined)[]> {
  const { items } = mailsSchema.parse(await ask('GET', `${simulator}/sim/mails`));
  return items
    .filter(({ headers }) => headers['x-mimamori-incident'] === id)
    .map(({ headers }) => headers['x-mimamori-kind']);
}

/** The customer's mail program: an answer to the mail that has told them. */
async function customerWrites(story: Story, what: string, text: string): Promise<string> {
  const { items } = mailsSchema.parse(await ask('GET', `${simulator}/sim/mails`));
  const primary = items.find(
    ({ headers }) => headers['x-mimamori-incident'] === story.id && headers['x-mimamori-kind'] === 'primary',
  );
  const replyTo = primary?.headers['message-id'];
  expect(replyTo !== undefined, 'there is a mail to answer');
  print(`  < the customer answers by mail: ${what}`);
  const sent = await ask('POST', `${simulator}/sim/mails`, { from: writer, replyTo, text });
  return z.object({ messageId: z.string() }).parse(sent).messageId;
}

/** A question by mail, and its answer in the thread. */
async function questionByMail(story: Story): Promise<void> {
  await customerWrites(story, 'a question', '検知された端末は、どの操作がきっかけだったのでしょうか。');
  const asked = await story.until('the question waits', ({ attention }) => attention.includes('customer-mail'));
  const id = asked.inquiry?.id ?? '';
  print('  > POST /v1/inquiries/…/answer');
  const text = '添付ファイルを開いた操作がきっかけです。';
  await ask('POST', `${api}/v1/inquiries/${encodeURIComponent(id)}/answer`, { text });
  await story.until('answered', ({ inquiry, attention, timeline }) => {
    // The answer stands on the incident's timeline once the mail server has taken it.
    const isSent = timeline.some(({ type }) => type === 'inquiry');
    return inquiry?.state === 'answered' && attention.length === 0 && isSent;
  });
  const { items } = mailsSchema.parse(await ask('GET', `${simulator}/sim/mails`));
  expect(
    items.some((mail) => mail.headers['x-mimamori-kind'] === 'inquiry-answer' && mail.text.includes(text)),
    'the customer has the answer',
  );
}

async function releaseByTelephone(story: Story): Promise<void> {
  const receivedAt = new Date().toISOString();
  await story.command('release', {
    instruction: {
      by: customer.instructor,
      channel: 'phone',
      receivedAt,
      words: '確認が済みました。隔離を解除してください。',
      calledBackAt: receivedAt,
    },
  });
}

/** A mail is a proposal: an analyst confirms it as the instruction. */
async function releaseByMail(story: Story): Promise<void> {
  const messageId = await customerWrites(story, 'the release', '確認が済みました。隔離を解除してください。');
  const offered = await story.until('the mail is offered', ({ customerMails }) =>
    customerMails.some((mail) => mail.messageId === messageId),
  );
  expect(
    offered.customerMails.some(({ mayBe }) => mayBe.some(({ kind }) => kind === 'release-instruction')),
    'it is shown as what may be a release instruction',
  );
  expect(
    offered.devices.every(({ isolation }) => isolation === 'isolated'),
    'the mail by itself releases nothing',
  );
  await story.command('release', { instruction: { mail: messageId } });
}

async function isTold(id: string, wanted: string[]): Promise<void> {
  const kinds = await kindsOf(id);
  expect(
    kinds.sort().join() === wanted.sort().join(),
    `mails ${wanted.join(', ') || 'none'}, but got ${kinds.join(', ') || 'none'}`,
  );
  print(`  = mails to the customer: ${wanted.join(', ') || 'none'}`);
}

async function life(level: 1 | 2 | 3 | 4): Promise<void> {
  print(`\nLevel ${level}`);
  const story = await raise(level);
  await story.until('known', ({ timeline }) => timeline.length > 1);
  const judgement = level === 1 ? 'false-positive' : 'true-positive';
  await story.command('triage', { level, judgement, ...texts });
  if (level === 1) {
    const closed = await story.until('closed at once', ({ stage }) => stage === 'closed');
    expect(closed.closeReason === 'no-threat', 'closed as no-threat');
    return isTold(story.id, []);
  }
  if (level === 2) {
    await story.until('told', ({ stage }) => stage === 'notified');
    await questionByMail(story);
    await story.command('escalations', { message: '追加調査の結果、同じ通信は確認されませんでした。' });
    await story.until('told again', ({ stage, timeline }) => stage === 'notified' && timeline.length > 5);
  } else {
    const held = await story.until('isolated and told', ({ stage }) => stage === 'awaiting-release');
    expect(
      held.devices.every(({ isolation }) => isolation === 'isolated'),
      'the device is isolated',
    );
    if (level === 3) await releaseByMail(story);
    else await releaseByTelephone(story);
    await story.until('released and told', ({ stage }) => stage === 'notified');
  }
  const inquiry = (await story.until('still open', () => true)).inquiry;
  // Whoever has acted on the mail says that nothing in it has to be answered any more.
  if (inquiry?.state === 'open') {
    print('  > POST /v1/inquiries/…/close');
    await ask('POST', `${api}/v1/inquiries/${encodeURIComponent(inquiry.id)}/close`, {
      reason: 'released as instructed',
    });
    await story.until('nothing to answer', ({ attention }) => attention.length === 0);
  }
  await story.command('close', { reason: 'demo finished' });
  const closed = await story.until('closed', ({ stage }) => stage === 'closed');
  expect(closed.attention.length === 0, 'nothing needs attention');
  await isTold(
    story.id,
    level === 2 ? ['primary', 'inquiry-answer', 'secondary'] : ['primary', 'isolation-result', 'release-result'],
  );
}

try {
  for (const level of [1, 2, 3, 4] as const) await life(level);
  print('\nAll four levels went as promised.');
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
