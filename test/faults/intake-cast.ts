import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { until } from '../../simulator/testing.js';
import { STRANGERS_ID } from '../../src/domain/held-mail/strangers.js';
import { strangersQuery } from '../../src/workflows/messages.js';
import { bounceOf } from '../support/customer-mail.js';
import { MAILBOX_ADDRESS, SERVICE, type Reply, type SimMail } from '../support/house.js';
import type { IntakeHouse, Written } from './intake-house.js';

/*
 * One mail for each way that a mail may take, and what has to hold of each once all have been handled: it was handled once.
 */

interface Sent {
  messageId: string;
  raw: string;
}

interface Ours {
  incidentId: string;
  escalation: SimMail;
}

function composed(from: string, words: string, { escalation }: Partial<Ours>, more: string[] = []): Sent {
  const messageId = `<${randomUUID()}@sender.example>`;
  const about = escalation?.headers['message-id'];
  const head = [
    `Message-ID: ${messageId}`,
    `From: ${from}`,
    `To: ${MAILBOX_ADDRESS}`,
    'Subject: a mail',
    ...(about === undefined ? [] : [`In-Reply-To: ${about}`]),
    ...more,
  ];
  return { messageId, raw: [...head, '', words, ''].join('\n') };
}

export class IntakeCast {
  /** To be answered. */
  readonly question: Sent & Written;
  /** Written by no person. */
  readonly away: Sent;
  /** That an escalation came back. */
  readonly report: Sent;
  /** Both held, and with a claim to one conversation. */
  readonly held: [Sent, Sent];
  readonly strangers: Sent;

  private constructor(
    asked: Ours,
    private readonly absent: Ours,
    private readonly bounced: Ours,
    private readonly claimed: Ours,
    private readonly mailedBefore: number,
  ) {
    const words = `Please tell us more. ${randomUUID()}`;
    this.question = { ...asked, words, ...composed('sato@acme.example', words, asked) };
    this.away = composed('sato@acme.example', 'I am away.', absent, ['Auto-Submitted: auto-replied']);
    const { headers, to } = bounced.escalation;
    const id = `<${randomUUID()}@mx.acme.example>`;
    this.report = { messageId: id, raw: bounceOf(headers['message-id'] ?? '', to, { id }) };
    this.held = [
      composed('eve@evil.example', 'the one that is told', claimed),
      composed('eve@evil.example', 'the one that stands still', claimed),
    ];
    this.strangers = composed('mallory@evil.example', 'hello', {});
  }

  static async of(rooms: IntakeHouse): Promise<IntakeCast> {
    const [asked, absent, bounced, claimed] = await Promise.all([
      rooms.escalated(),
      rooms.escalated(),
      rooms.escalated(),
      rooms.escalated(),
    ]);
    return new IntakeCast(asked, absent, bounced, claimed, (await rooms.house.mails()).length);
  }

  get all(): Sent[] {
    return [this.question, ...this.held, this.strangers, this.report, this.away];
  }

  /** All that stand still on their way when nobody moves them: the first of what is held goes on to its notice. */
  get handed(): Sent[] {
    return this.all.filter((each) => each !== this.held[0]);
  }

  async assertOnce(rooms: IntakeHouse): Promise<void> {
    const { house } = rooms;
    const count = (timeline: { type: string }[], type: string) => timeline.filter((each) => each.type === type).length;

    const bounced = await house.incidentWhen(
      this.bounced.incidentId,
      'told of the bounce',
      ({ attention }) => attention.includes('mail-bounced'),
      30_000,
    );
    assert.equal(count(bounced.timeline, 'bounce'), 1, 'one entry of the bounce');
    const absent = await house.incidentWhen(
      this.absent.incidentId,
      'the absence is there',
      ({ customerMails }) => customerMails.length > 0,
      30_000,
    );
    assert.deepEqual(
      absent.customerMails.map((mail: Reply['body']) => [mail.messageId, mail.nature]),
      [[this.away.messageId, 'auto-reply']],
    );
    assert.equal(count(absent.timeline, 'customer-mail'), 1, 'one entry of the absence');

    const claimed = await house.incidentWhen(
      this.claimed.incidentId,
      'what is held is shown',
      ({ attention }) => attention.includes('held-mail'),
      30_000,
    );
    assert.deepEqual([claimed.customerMails, count(claimed.timeline, 'held-mail')], [[], 1]);
    for (const [{ messageId }, reason] of [
      [this.held[0], 'not-this-customers-address'],
      [this.held[1], 'not-this-customers-address'],
      [this.strangers, 'unknown-sender'],
    ] as const) {
      const items = await until(
        `${messageId} is listed`,
        async () => {
          const { body } = await house.get('/v1/mailbox/attention?limit=100');
          const own = (body.items ?? []).filter((item: Reply['body']) => item.messageId === messageId);
          return own.length > 0 ? own : undefined;
        },
        30_000,
      );
      assert.deepEqual(
        items.map((item: Reply['body']) => item.reason),
        [reason],
        'held once',
      );
      const key = items[0].id.slice('held-mail:'.length);
      const notices = await until(
        `the SOC is told of ${key}`,
        async () => {
          const ids = (await house.mails()).flatMap(({ headers }) => headers['message-id'] ?? []);
          const own = ids.filter((id) => id.includes(key));
          return own.length > 0 ? own : undefined;
        },
        30_000,
      );
      // A mail whose taking nobody heard of is sent again, as the same one.
      assert.equal(new Set(notices).size, 1, 'one notice');
    }
    const { untold } = await house.client.workflow.getHandle(STRANGERS_ID).query(strangersQuery);
    assert.equal(untold, 0, 'the stranger’s mail was counted once');
    const since = (await house.mails()).slice(this.mailedBefore);
    for (const { to, cc, headers } of since) {
      assert.deepEqual([...to, ...cc], [SERVICE.socMailTo], `nobody but the SOC: ${JSON.stringify(headers)}`);
    }
    await rooms.assertAnsweredOnce(this.question);
  }

  async assertLie(rooms: IntakeHouse): Promise<void> {
    for (const { messageId } of [this.question, this.away, this.report]) await rooms.assertLies(messageId, 'Processed');
    for (const { messageId } of [...this.held, this.strangers]) await rooms.assertLies(messageId, 'Attention');
  }
}
