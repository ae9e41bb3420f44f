import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { duties, type Duty, type MailTopic } from '../../domain/incident/duties.js';
import { currentVerdict, type IncidentRecord } from '../../domain/incident/record.js';
import { renderMail } from '../../domain/mails/render.js';
import { messageIdOf, threadOf } from '../../domain/mails/thread.js';
import { patient } from '../outside.js';
import { now } from '../support.js';
import type { Book } from './book.js';

/** Between tries of a mail whose connection was cut as the server took it: longer each time, so that it costs little for ever. */
const AFTER_CUT_MS = 2_000;
const LONGEST_AFTER_CUT_MS = 300_000;

interface MailUnderWay {
  dutyId: string;
  scope: CancellationScope;
}

function verdictOf(topic: MailTopic): number | null {
  return 'verdict' in topic ? topic.verdict : null;
}

/** Sends what is owed: the customer's mails one after the other, so that a thread reads in order, the SOC's at once. */
export class Mails {
  private readonly underWay = new Map<string, MailUnderWay>();

  constructor(private readonly book: Book) {}

  get isIdle(): boolean {
    return this.underWay.size === 0;
  }

  start(): void {
    for (const duty of duties(this.book.record)) {
      if (duty.kind === 'warn' && duty.status === 'owed') this.send(duty);
    }
    const toCustomer = this.nextToCustomer;
    if (toCustomer !== undefined) this.send(toCustomer);
    this.withdraw();
  }

  /** The customer's mail that can be sent now: none while another is on its way. */
  get nextToCustomer(): Duty | undefined {
    const mails = duties(this.book.record).filter(({ kind }) => kind === 'mail');
    if (mails.some(({ status }) => status === 'running')) return undefined;
    return mails.find(({ status, topic, reason }) => status === 'owed' && topic !== undefined && reason === undefined);
  }

  /** An all-clear before the primary could be handed over: nobody was told of a threat, and nobody is to be. */
  private withdraw(): void {
    const { record } = this.book;
    const primary = record.effects['mail:primary'];
    if (primary?.status !== 'running' || primary.maybeAccepted) return;
    const told = record.verdicts[primary.verdict ?? 0]?.level ?? 1;
    if (told >= 2 && currentVerdict(record)?.level === 1) this.underWay.get('mail:primary')?.scope.cancel();
  }

  private send(duty: Duty): void {
    const { topic } = duty;
    const { policy } = this.book.record;
    if (topic === undefined || policy === null) return;
    const scope = new CancellationScope();
    this.underWay.set(duty.id, { dutyId: duty.id, scope });
    const sending = this.deliver(duty.id, topic, this.book.record, scope);
    void sending.finally(() => {
      this.underWay.delete(duty.id);
      this.book.touch();
    });
  }

  private async deliver(
    dutyId: string,
    topic: MailTopic,
    record: IncidentRecord,
    scope: CancellationScope,
  ): Promise<void> {
    const { policy } = record;
    if (policy === null) return;
    const messageId = messageIdOf(record.incidentId, dutyId, policy.service.mailDomain);
    const mail = renderMail(record, policy, topic, now());
    const thread = topic.kind.startsWith('soc-') ? { references: [] } : threadOf(record, dutyId);
    const { kind, to, cc, subject, text, html } = mail;
    this.book.apply({ type: 'mail-started', dutyId, messageId, verdict: verdictOf(topic) });
    const headers = { 'X-Mimamori-Incident': record.incidentId, 'X-Mimamori-Kind': kind };
    const input = { messageId, ...thread, to, cc, subject, text, html, headers };
    try {
      for (let waitMs = AFTER_CUT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_AFTER_CUT_MS)) {
        const result = await scope.run(() =>
          patient.sendMail.executeWithOptions(
            { summary: `${kind} mail to ${kind.startsWith('soc') ? 'the SOC' : 'the customer'}` },
            [input],
          ),
        );
        if (result.status !== 'uncertain') {
          this.book.apply({ type: 'mail-settled', dutyId, outcome: result, subject, to });
          return;
        }
        if (this.book.record.effects[dutyId]?.maybeAccepted === false)
          this.book.apply({ type: 'mail-uncertain', dutyId });
        await sleep(waitMs, { summary: 'before sending the same mail again' });
      }
    } catch (error) {
      if (!isCancellation(error)) throw error;
      this.book.apply({ type: 'mail-settled', dutyId, outcome: { status: 'withdrawn' }, subject, to });
    }
  }
}
