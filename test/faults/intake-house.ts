import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Moment, Watch } from '../../simulator/index.js';
import { until } from '../../simulator/testing.js';
import { House, verdict, type Reply, type SimMail } from '../support/house.js';

export interface Scene {
  name: string;
  play: (rooms: IntakeHouse) => Promise<void>;
}

/** Scenes that are played one after the other in a house of their own. */
export interface Row {
  open: (server: TestWorkflowEnvironment) => Promise<IntakeHouse>;
  scenes: Scene[];
  end?: () => Promise<void>;
}

/*
 * A house whose mailbox is read, and in which the test decides what becomes of each command to the mail server. What must
 * hold afterwards is the same whatever has happened: every mail was handled once.
 */

type Act = () => Promise<'go-on' | 'cut'>;

interface Plan {
  command: string;
  phase: 'arrived' | 'done';
  about: string;
  act: Act;
  met: () => void;
}

/** The next time that the mail server is asked for something. */
export class Moments {
  private readonly planned: Plan[] = [];

  readonly watch: Watch = async (moment: Moment) => {
    if (moment.kind !== 'request' || !['imap', 'smtp'].includes(moment.target)) return 'go-on';
    const index = this.planned.findIndex(
      ({ command, phase, about }) => command === moment.method && phase === moment.phase && moment.body.includes(about),
    );
    const [plan] = index < 0 ? [] : this.planned.splice(index, 1);
    if (plan === undefined) return 'go-on';
    plan.met();
    return plan.act();
  };

  /** Resolves when that moment has come. */
  once(command: string, phase: 'arrived' | 'done', act: Act, about = ''): Promise<void> {
    return new Promise((met) => {
      this.planned.push({ command, phase, act, about, met });
    });
  }

  /** Cuts the connection before the command's work, or in the place of its answer. */
  cut(command: string, phase: 'arrived' | 'done'): Promise<void> {
    return this.once(command, phase, () => Promise.resolve('cut'));
  }

  /** Holds the command, of SMTP's `DATA` that of a mail with these words; answers, once it is held, how to let it go on. */
  async hold(command: string, phase: 'arrived' | 'done', about = ''): Promise<() => void> {
    let goOn = (): void => undefined;
    const going = new Promise<'go-on'>((resolve) => {
      goOn = () => resolve('go-on');
    });
    await this.once(command, phase, () => going, about);
    return goOn;
  }
}

/** A mail of the customer's, and the incident that it belongs to. */
export interface Written {
  incidentId: string;
  escalation: SimMail;
  messageId: string;
  words: string;
}

type Folder = { messageId: string; uid: number }[];

function keysOf(items: readonly { messageId: string }[], messageId: string): number {
  return items.filter((item) => item.messageId === messageId).length;
}

export class IntakeHouse {
  private constructor(
    readonly house: House,
    readonly moments: Moments,
  ) {}

  static async open(environment: TestWorkflowEnvironment, options: { worker?: boolean } = {}): Promise<IntakeHouse> {
    const moments = new Moments();
    const house = await House.open({ environment, mailbox: true, watch: moments.watch, ...options });
    return new IntakeHouse(house, moments);
  }

  close(): Promise<void> {
    return this.house.close();
  }

  /** Until the mailbox's reader waits for news: what it asks next is about the next mail. */
  async idles(): Promise<void> {
    await until('the reader idles', async () => {
      const { items } = await this.house.control('GET', '/sim/requests?target=imap');
      const last = items.at(-1);
      return last?.method === 'IDLE' && last.status === null ? true : undefined;
    });
  }

  /** An incident whose customer was written to, and a reader that waits for the answer. */
  async escalated(): Promise<{ incidentId: string; escalation: SimMail }> {
    const { house } = this;
    const { id } = await house.alert(house.customer('acme'));
    await house.command(id, 'triage', verdict(2));
    const escalation = await until(
      `${id} is escalated`,
      async () => (await house.mails(id)).find(({ headers }) => headers['x-mimamori-kind'] === 'primary'),
      45_000,
    );
    await this.idles();
    return { incidentId: id, escalation };
  }

  /** Answers an escalation as its recipient would. */
  async answer(
    { incidentId, escalation }: { incidentId: string; escalation: SimMail },
    more: Record<string, unknown> = {},
  ): Promise<Written> {
    const words = `Please tell us more. ${randomUUID()}`;
    const { messageId } = await this.house.control('POST', '/sim/mails', {
      from: 'sato@acme.example',
      replyTo: escalation.headers['message-id'],
      text: words,
      ...more,
    });
    return { incidentId, escalation, messageId, words };
  }

  async write(): Promise<Written> {
    return this.answer(await this.escalated());
  }

  async folders(): Promise<{ INBOX: Folder; Processed: Folder; Attention: Folder }> {
    const { folders } = await this.house.control('GET', '/sim/mailbox');
    return { INBOX: [], Processed: [], Attention: [], ...folders };
  }

  emptied(timeoutMs = 60_000): Promise<boolean> {
    return until(
      'the inbox is empty',
      async () => ((await this.folders()).INBOX.length === 0 ? true : undefined),
      timeoutMs,
    );
  }

  /** Until a mail is taken, whatever else waits. */
  async takenBeside({ messageId }: Written): Promise<void> {
    await until(
      `${messageId} is taken`,
      async () => (keysOf((await this.folders()).Processed, messageId) > 0 ? true : undefined),
      30_000,
    );
  }

  mailboxWhen(what: string, holds: (mailbox: Reply['body']) => boolean, timeoutMs = 15_000): Promise<Reply['body']> {
    return until(
      `the mailbox: ${what}`,
      async () => {
        const { status, body } = await this.house.get('/v1/mailbox');
        return status === 200 && holds(body) ? body : undefined;
      },
      timeoutMs,
    );
  }

  private inquiryOf({ incidentId }: Written): string {
    const [, customerId = '', ...alertId] = incidentId.split(':');
    return `/v1/inquiries/${encodeURIComponent(`inquiry:${customerId}:alert.${alertId.join(':')}`)}`;
  }

  /** The SOC answers; resolves when the customer has it. */
  async reply(written: Written): Promise<void> {
    const answered = await this.house.post(`${this.inquiryOf(written)}/answer`, { text: 'We have looked at it.' });
    assert.equal(answered.status, 200, JSON.stringify(answered.body));
    await this.house.incidentWhen(
      written.incidentId,
      'the customer has the answer',
      ({ attention, timeline }) =>
        attention.length === 0 && timeline.some(({ type }: { type: string }) => type === 'inquiry'),
      30_000,
    );
  }

  /** A mail lies in that folder, once, and nowhere else. */
  async assertLies(messageId: string, where: 'Processed' | 'Attention'): Promise<void> {
    const folders = await this.folders();
    const counts = [folders.INBOX, folders.Processed, folders.Attention].map((folder) => keysOf(folder, messageId));
    assert.deepEqual(counts, where === 'Processed' ? [0, 1, 0] : [0, 0, 1], `${messageId} in ${where}, once`);
  }

  /** Waits until the mail has been taken, answers it, and asserts that all of it has happened once. */
  async assertOnce(written: Written): Promise<void> {
    await this.emptied();
    await this.assertAnsweredOnce(written);
    await this.assertLies(written.messageId, 'Processed');
  }

  /** Answers the mail, by whatever way it came, and asserts that all of it has happened once. */
  async assertAnsweredOnce(written: Written): Promise<void> {
    const { house } = this;
    const { incidentId, messageId, words } = written;
    await house.incidentWhen(incidentId, 'the mail is there', ({ customerMails }) => customerMails.length > 0, 30_000);
    await this.reply(written);

    const incident = await house.incident(incidentId);
    assert.deepEqual(
      incident.customerMails.map((mail: Reply['body']) => [mail.messageId, mail.words]),
      [[messageId, words]],
    );
    const entries = incident.timeline.filter(({ type }: { type: string }) => type === 'customer-mail');
    assert.equal(entries.length, 1, 'one entry on the timeline');
    const { body: inquiry } = await house.get(this.inquiryOf(written));
    assert.deepEqual(
      inquiry.conversation.map((mail: Reply['body']) => mail.newText),
      [words],
    );
    const sent = new Map((await house.mails(incidentId)).map(({ headers }) => [headers['message-id'], headers]));
    assert.deepEqual(
      [...sent.values()].map((headers) => headers['x-mimamori-kind']),
      ['primary', 'inquiry-answer'],
      'nothing else was mailed',
    );
  }
}
