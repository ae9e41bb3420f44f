import { CancellationScope, isCancellation } from '@temporalio/workflow';
import { isPrimaryWithdrawn, nextMailToCustomer } from '../../domain/incident/asks.js';
import { duties, type Duty, type MailTopic } from '../../domain/incident/duties.js';
import { leadOf } from '../../domain/incident/link-state.js';
import type { IncidentRecord } from '../../domain/incident/record.js';
import { renderMail } from '../../domain/templates/render.js';
import { mailIdOf, threadOf } from '../../domain/templates/thread.js';
import { handOver } from '../mail.js';
import { patient } from '../outside.js';
import { now } from '../support.js';
import type { Book } from './book.js';

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
    // That of a linked incident is the lead's to send.
    if (toCustomer !== undefined && leadOf(this.book.record) === undefined) this.send(toCustomer);
    this.withdraw();
  }

  get nextToCustomer(): Duty | undefined {
    return nextMailToCustomer(duties(this.book.record));
  }

  private withdraw(): void {
    if (isPrimaryWithdrawn(this.book.record)) this.underWay.get('mail:primary')?.scope.cancel();
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
    const messageId = mailIdOf(record, dutyId, policy.service.mailDomain);
    const mail = renderMail(record, policy, topic, now());
    const thread = topic.kind.startsWith('soc-') ? { references: [] } : threadOf(record, dutyId);
    const { kind, to, cc, subject, letters } = mail;
    this.book.apply({ type: 'mail-started', dutyId, messageId, verdict: verdictOf(topic) });
    const headers = { 'X-Mimamori-Incident': record.incidentId, 'X-Mimamori-Kind': kind };
    const conversation = kind.startsWith('soc-') ? {} : { conversation: record.incidentId };
    const input = { ...conversation, messageId, ...thread, to, cc, subject, letters, headers };
    const effect = () => this.book.record.effects[dutyId];
    const summary = `${kind} mail to ${kind.startsWith('soc') ? 'the SOC' : 'the customer'}`;
    try {
      const outcome = await handOver(
        (mailInput) => scope.run(() => patient.sendMail.executeWithOptions({ summary }, [mailInput])),
        input,
        {
          delayed: (why) => {
            if (effect()?.reason === null) this.book.apply({ type: 'mail-delayed', dutyId, why });
          },
          uncertain: () => {
            if (effect()?.maybeAccepted === false) this.book.apply({ type: 'mail-uncertain', dutyId });
          },
        },
      );
      this.book.apply({ type: 'mail-settled', dutyId, outcome, subject, to });
    } catch (error) {
      if (!isCancellation(error)) throw error;
      this.book.apply({ type: 'mail-settled', dutyId, outcome: { status: 'withdrawn' }, subject, to });
    }
  }
}
