import type { Policy } from '../../domain/policy.js';
import type { MailInput } from '../../domain/ports.js';
import { isOfCustomer } from '../../domain/customer-mail/sender.js';
import { inquiryAnswerMail, inquiryReferralMail } from '../../domain/templates/inquiry.js';
import { inquiryWaitingMail, lostReplyMail } from '../../domain/templates/inbound-soc.js';
import type { RenderedMail } from '../../domain/templates/kinds.js';
import { replySubject } from '../../domain/templates/subject.js';
import { messageIdOf } from '../../domain/templates/thread.js';
import type { InquiryFact } from '../../domain/inquiry/facts.js';
import type { InquiryMail, InquiryRecord, Reply } from '../../domain/inquiry/record.js';
import { inquiryReport, remindsSince, untoldMails } from '../../domain/inquiry/view.js';
import { MINUTE_MS, toMs } from '../../domain/time.js';
import { handOver } from '../mail.js';
import { patient, recorded } from '../outside.js';
import { now } from '../support.js';

/** To whom a reply goes: the sender, while the address is the customer's, and all who have the escalations. */
function recipientsOf({ customer }: Policy, mail: InquiryMail): { to: string[]; cc: string[] } {
  const { to, cc } = customer.mail;
  const { address } = mail.from;
  // A sender whom only an analyst has vouched for is told nothing: the customer's own addresses are.
  if (!isOfCustomer(customer, address)) return { to: [...to], cc: [...cc] };
  const others = [...to, ...cc].filter((each) => each.toLowerCase() !== address.toLowerCase());
  return { to: [address], cc: others };
}

function isLost(status: Reply['status']): boolean {
  return status === 'failed' || status === 'bounced';
}

/** What an inquiry does beside being asked: each piece once, and beside the others. */
export class InquiryWork {
  private readonly underWay = new Set<string>();

  constructor(
    private readonly current: () => InquiryRecord,
    private readonly apply: (fact: InquiryFact) => void,
    private readonly touch: () => void,
    private readonly policy: () => Promise<Policy>,
  ) {}

  get isIdle(): boolean {
    return this.underWay.size === 0;
  }

  private begin(name: string, work: () => Promise<void>): void {
    if (this.underWay.has(name)) return;
    this.underWay.add(name);
    void work().finally(() => {
      this.underWay.delete(name);
      this.touch();
    });
  }

  /** Begins what has to be done and is not under way. */
  start(): void {
    const record = this.current();
    if (record.incidentId !== null && record.toldRevision < record.revision) this.begin('tell', () => this.tell());
    const number = record.replies.findIndex(({ status }) => status === 'sending');
    const reply = record.replies[number];
    // One after the other, so that a thread reads in order.
    if (reply !== undefined) this.begin('reply', () => this.reply(number, reply));
    const lost = record.replies.findIndex(({ status, isFailureTold }) => isLost(status) && !isFailureTold);
    const reason = record.replies[lost]?.reason;
    if (reason != null) this.begin('failure', () => this.tellFailure(lost, reason));
  }

  private async tell(): Promise<void> {
    const record = this.current();
    const { incidentId, revision } = record;
    if (incidentId === null) return;
    const mails = untoldMails(record).slice(0, 20);
    const summary = 'the incident hears of the customer’s mail';
    await recorded.tellOfInquiry.executeWithOptions({ summary }, [
      { incidentId, news: { mails, report: inquiryReport(record) } },
    ]);
    const all = untoldMails(record).length === mails.length;
    this.apply({
      type: 'incident-told',
      // What did not fit is told next.
      revision: all ? revision : revision - 1,
      mailKeys: mails.map(({ key }) => key),
    });
  }

  private async reply(number: number, reply: Reply): Promise<void> {
    const record = this.current();
    const mail = record.mails.find(({ key }) => key === reply.mailKey) ?? record.mails.at(-1);
    if (mail === undefined) return;
    const policy = await this.policy();
    const { to, cc } = recipientsOf(policy, mail);
    const messageId = messageIdOf(record.inquiryId, `mail:reply:${number}`, policy.service.mailDomain);
    this.apply({ type: 'reply-started', number, messageId, to });
    const about = {
      policy,
      subject: replySubject(mail.subject),
      reference: record.incidentId ?? record.inquiryId,
      answeredTo: { receivedAt: mail.receivedAt, words: mail.newText },
    };
    const rendered =
      reply.kind === 'answer'
        ? inquiryAnswerMail({ ...about, text: reply.text ?? '' })
        : inquiryReferralMail({ ...about, ...(reply.text === null ? {} : { text: reply.text }) });
    const thread =
      mail.messageId === null
        ? { references: [] }
        : { inReplyTo: mail.messageId, references: [...mail.references, mail.messageId] };
    const result = await this.send({ ...rendered, to, cc }, messageId, thread, (why) => {
      this.apply({ type: 'reply-delayed', number, why });
    });
    if (result.status === 'accepted') {
      this.apply({ type: 'reply-settled', number, outcome: 'accepted', at: result.at, reason: null });
      return;
    }
    this.apply({ type: 'reply-settled', number, outcome: 'failed', at: now(), reason: result.reason });
  }

  /** The SOC hears at once of a reply that did not reach the customer. */
  private async tellFailure(number: number, reason: string): Promise<void> {
    const record = this.current();
    const policy = await this.policy();
    const mail = lostReplyMail({
      policy,
      inquiryId: record.inquiryId,
      reference: record.incidentId ?? record.inquiryId,
      to: record.replies[number]?.to ?? [],
      subject: record.mails.at(-1)?.subject ?? '',
      reason,
    });
    await this.tellSoc(mail, `warn:failure:${number}:${reason}`, policy);
    this.apply({ type: 'failure-told', number });
  }

  remind(minutes: number, policy: Policy): void {
    const record = this.current();
    const last = record.mails.at(-1);
    if (record.waitingSince === null || last === undefined) return;
    const mail = inquiryWaitingMail({
      policy,
      inquiryId: record.inquiryId,
      reference: record.incidentId ?? record.inquiryId,
      waitingSince: record.waitingSince,
      waitedMinutes: Math.floor((toMs(now()) - toMs(record.waitingSince)) / MINUTE_MS),
      from: last.from.address,
      subject: last.subject,
    });
    const about = `warn:waiting:${remindsSince(record) ?? record.waitingSince}:${minutes}`;
    this.begin(about, () => this.tellSoc(mail, about, policy));
  }

  private async tellSoc(mail: RenderedMail, about: string, { service }: Policy): Promise<void> {
    const messageId = messageIdOf(this.current().inquiryId, about, service.mailDomain);
    await this.send(mail, messageId, { references: [] }, () => undefined);
  }

  private async send(
    { kind, ...mail }: RenderedMail,
    messageId: string,
    thread: Pick<MailInput, 'inReplyTo' | 'references'>,
    delayed: (why: string) => void,
  ) {
    const { incidentId, inquiryId } = this.current();
    const isToSoc = kind.startsWith('soc');
    const headers = {
      ...(incidentId === null ? {} : { 'X-Mimamori-Incident': incidentId }),
      'X-Mimamori-Kind': kind,
    };
    return handOver(
      (input) =>
        patient.sendMail.executeWithOptions({ summary: `${kind} mail to ${isToSoc ? 'the SOC' : 'the customer'}` }, [
          input,
        ]),
      {
        messageId,
        ...thread,
        ...mail,
        headers,
        ...(isToSoc ? {} : { conversation: incidentId ?? inquiryId }),
      },
      { delayed },
    );
  }
}
