import { CancellationScope, condition, log, sleep } from '@temporalio/workflow';
import type { ExclusionFact } from '../../domain/exclusion/facts.js';
import { filterOf, type ExclusionPart, type ExclusionRecord } from '../../domain/exclusion/record.js';
import { exclusionIncidentOf } from '../../domain/templates/exclusion-parts.js';
import {
  exclusionCalendarMail,
  exclusionFailureMail,
  exclusionReminderSocMail,
  exclusionUnreachedMail,
  type FailedPart,
} from '../../domain/templates/exclusion-soc.js';
import { exclusionConfirmedMail, exclusionEndedMail, exclusionReminderMail } from '../../domain/templates/exclusion.js';
import type { RenderedMail } from '../../domain/templates/kinds.js';
import { ownMail } from '../../domain/customer-mail/conversation.js';
import { replySubject } from '../../domain/templates/subject.js';
import { messageIdOf, type Thread } from '../../domain/templates/thread.js';
import type { FilterAnswer, IndicatorInput, IndicatorSet, MailResult } from '../../domain/ports.js';
import { keptTenant, type Policy } from '../../domain/policy.js';
import { assertNever } from '../../domain/text.js';
import { HOUR_MS, type Instant } from '../../domain/time.js';
import { handOver } from '../mail.js';
import { patient, recorded, untilDone } from '../outside.js';
import { now } from '../support.js';

const POLICY_AGAIN_MS = HOUR_MS;
/** Between tries of what only somebody's help can mend: longer each time, so that it costs little for ever. */
const REMOVE_AGAIN_MS = HOUR_MS;
const LONGEST_REMOVE_AGAIN_MS = 24 * HOUR_MS;

/**
 * What an exclusion has done outside: its parts set and taken back, people told. Each piece of work is begun once and
 * goes on beside the others, so that a mail server that is down keeps no exclusion from ending.
 */
export class ExclusionWork {
  private readonly underWay = new Set<string>();
  /** The expiry that our own filter was last told of. */
  private toldExpiry: Instant | undefined;
  private toldDate: string | undefined;
  private removeAgainMs = REMOVE_AGAIN_MS;
  /** The expiry that the indicator was last set with. */
  private indicatorExpiry: Instant | undefined;
  /** Why it could not be taken away, as the SOC was last told. */
  private toldRemoval: string | undefined;
  private readonly setting = new CancellationScope();

  constructor(
    private readonly current: () => ExclusionRecord,
    private readonly apply: (fact: ExclusionFact) => void,
    private readonly touch: () => void,
  ) {}

  get isIdle(): boolean {
    return this.underWay.size === 0;
  }

  private begin(what: string, work: () => Promise<void>): void {
    if (this.underWay.has(what)) return;
    this.underWay.add(what);
    // A piece may be begun by one that is called off, and goes on.
    void CancellationScope.nonCancellable(work).finally(() => {
      this.underWay.delete(what);
      this.touch();
    });
  }

  /** Is one of them being set? */
  isSetting(parts: readonly ExclusionPart[]): boolean {
    return parts.some((part) => this.underWay.has(`set ${part}`));
  }

  /** One after the other: what is quick first. */
  set(parts: readonly ExclusionPart[]): void {
    const [first] = parts;
    if (first !== undefined && !this.isSetting(parts)) this.begin(`set ${first}`, () => this.setPart(first));
  }

  private async setPart(part: ExclusionPart): Promise<void> {
    switch (part) {
      case 'own-filter': {
        const { exclusionId, conditions, expiresAt } = this.current();
        const exclusion = { exclusionId, conditions, expiresAt, registeredAt: now() };
        const answer = await this.tellFilter(exclusion, { registers: true });
        // Where business hours ended before it was set, it waits for the next.
        if (answer === 'closed') return;
        if (answer === 'full') {
          const reason = 'too-many-exclusions';
          this.tellFailure({ part, action: 'set', reason });
          this.apply({ type: 'part-failed', part, reason });
          return;
        }
        this.apply({ type: 'part-set', part, detail: [] });
        return;
      }
      case 'defender-indicator': {
        try {
          const result = await this.setting.run(() => this.setIndicator());
          if (result.outcome === 'set') this.apply({ type: 'part-set', part, detail: result.ids });
          if (result.outcome === 'failed') this.apply({ type: 'part-failed', part, reason: result.reason });
        } catch (error) {
          // A try that failed as it was called off says so, and not that it was called off.
          if (!this.setting.consideredCancelled) throw error;
          // Whether it was set nobody knows: it is looked for until that can be told.
          await CancellationScope.nonCancellable(async () => {
            while (!(await this.removeIndicator()));
          });
        }
        return;
      }
      case 'portal-rule':
        // Made by hand before: that it is there is what is registered.
        this.apply({ type: 'part-set', part, detail: [] });
        return;
      default:
        assertNever(part);
    }
  }

  private async setIndicator(): Promise<IndicatorSet> {
    const summary = 'an indicator in Defender that allows it';
    const part = 'defender-indicator';
    const input = this.indicator();
    const result = await untilDone(
      (again) => patient.setIndicator.executeWithOptions({ summary }, [again]),
      input,
      () => this.tellFailure({ part, action: 'set', reason: 'defender-request-failing' }),
    );
    if (result.outcome !== 'closed') this.indicatorExpiry = input.expiresAt;
    if (result.outcome === 'failed') this.tellFailure({ part, action: 'set', reason: result.reason });
    return result;
  }

  /** Of one that has ended nothing more is set. */
  stopSetting(): void {
    this.setting.cancel();
  }

  /** One after the other, what is quick first; one that resists keeps no other. */
  remove(parts: readonly ExclusionPart[]): void {
    const isBusy = parts.some((part) => this.underWay.has(`remove ${part}`));
    const [first] = parts;
    if (first !== undefined && !isBusy) this.begin(`remove ${first}`, () => this.removePart(first));
  }

  private async removePart(part: ExclusionPart): Promise<void> {
    switch (part) {
      case 'own-filter': {
        const { customerId, exclusionId } = this.current();
        // What was said before must not arrive after this.
        await condition(() => !this.underWay.has('set own-filter') && !this.underWay.has('filter'));
        const summary = 'our own filter gives it up';
        await recorded.tellFilter.executeWithOptions({ summary }, [
          { customerId, change: { change: 'ended', exclusionId } },
        ]);
        this.apply({ type: 'part-removed', part });
        return;
      }
      case 'defender-indicator':
        await condition(() => !this.underWay.has('set defender-indicator'));
        if (await this.removeIndicator()) this.apply({ type: 'part-removed', part });
        return;
      case 'portal-rule':
        this.tellFailure({ part, action: 'remove', reason: 'made-by-hand' });
        this.apply({ type: 'removal-failed', part, reason: 'made-by-hand' });
        return;
      default:
        assertNever(part);
    }
  }

  /** False, after a pause, where it could not be taken away. */
  private async removeIndicator(): Promise<boolean> {
    const part = 'defender-indicator';
    const summary = 'takes the indicator in Defender away';
    const failed = (reason: string): void => {
      if (this.toldRemoval !== reason) this.tellFailure({ part, action: 'remove', reason });
      this.toldRemoval = reason;
      this.apply({ type: 'removal-failed', part, reason });
    };
    const result = await untilDone(
      (input) => patient.removeIndicator.executeWithOptions({ summary }, [input]),
      this.indicator(),
      () => failed('defender-request-failing'),
    );
    if (result.outcome === 'removed') return true;
    failed(result.reason);
    await sleep(this.removeAgainMs, { summary: 'before trying to remove it again' });
    this.removeAgainMs = Math.min(this.removeAgainMs * 2, LONGEST_REMOVE_AGAIN_MS);
    return false;
  }

  /** A brought-forward expiry reaches what is set before it comes. */
  keep(): void {
    const record = this.current();
    const filter = filterOf(record);
    if (filter !== undefined && this.toldExpiry !== filter.expiresAt) {
      this.begin('filter', async () => {
        await this.tellFilter(filter);
      });
    }
    const isSet = record.ended === null && record.parts['defender-indicator']?.status === 'set';
    if (isSet && this.indicatorExpiry !== record.expiresAt) {
      this.begin('set defender-indicator', async () => {
        try {
          await this.setting.run(() => this.setIndicator());
        } catch (error) {
          if (!this.setting.consideredCancelled) throw error;
        }
      });
    }
  }

  private async tellFilter(
    exclusion: NonNullable<ReturnType<typeof filterOf>>,
    how: { registers?: true } = {},
  ): Promise<FilterAnswer> {
    const { customerId } = this.current();
    const summary = 'our own filter takes it';
    const input = { customerId, change: { change: 'set' as const, exclusion }, ...how };
    const answer = await recorded.tellFilter.executeWithOptions({ summary }, [input]);
    if (answer !== 'closed') this.toldExpiry = exclusion.expiresAt;
    return answer;
  }

  private indicator(): IndicatorInput {
    const { customerId, exclusionId, conditions, reason, expiresAt, parts, policy } = this.current();
    const ids = parts['defender-indicator']?.detail ?? [];
    return { customerId, exclusionId, conditions, reason, expiresAt, ids, ...keptTenant(policy) };
  }

  confirm(): void {
    this.begin('confirm', async () => {
      const { messageId, result } = await this.answer('confirmed', exclusionConfirmedMail);
      this.apply(
        result.status === 'accepted'
          ? { type: 'confirmed', messageId }
          : { type: 'confirmation-failed', messageId, reason: result.reason },
      );
    });
  }

  tellEnd(): void {
    this.begin('tell end', async () => {
      // That it holds must not be the last that the customer hears.
      await condition(() => !this.underWay.has('confirm'));
      const { messageId, result } = await this.answer('ended', exclusionEndedMail);
      this.apply(
        result.status === 'accepted'
          ? { type: 'end-mailed', messageId }
          : { type: 'end-mail-failed', messageId, reason: result.reason },
      );
    });
  }

  /** A reply to the customer in the incident's thread, where there is one; the SOC hears if it is refused. */
  private async answer(
    what: string,
    mailOf: (record: ExclusionRecord, policy: Policy, replySubject: string | null) => RenderedMail,
  ) {
    const record = this.current();
    const { exclusionId, revision } = record;
    const policy = await this.policy();
    const thread = await this.threadOf(record);
    const messageId = messageIdOf(exclusionId, `${what}-${revision}`, policy.service.mailDomain);
    const result = await this.send(mailOf(record, policy, thread?.subject ?? null), messageId, thread ?? undefined);
    if (result.status === 'rejected') this.tellUnreached(result.reason);
    return { messageId, result };
  }

  private async threadOf(record: ExclusionRecord): Promise<(Thread & { subject: string }) | null> {
    const asked = record.customerRequest?.mail;
    if (asked !== undefined) {
      const { messageId, references, subject } = asked;
      const thread =
        messageId === null ? { references } : { inReplyTo: messageId, references: [...references, messageId] };
      return { ...thread, subject: replySubject(subject) };
    }
    const incidentId = exclusionIncidentOf(record);
    if (incidentId === undefined) return null;
    const summary = "the incident's conversation with the customer";
    return recorded.readThread.executeWithOptions({ summary }, [{ incidentId }]);
  }

  remind(): void {
    this.begin('remind', async () => {
      const record = this.current();
      const { exclusionId, customerRequest } = record;
      const policy = await this.policy();
      const { mailDomain } = policy.service;
      const summary = 'how many alerts has it matched?';
      const hits = await recorded.countExcluded.executeWithOptions({ summary }, [{ exclusionId }]);
      const ending = { hits, now: now() };
      this.apply({ type: 'reminded' });
      await this.send(
        exclusionReminderSocMail(record, policy, ending),
        messageIdOf(exclusionId, 'reminder-soc', mailDomain),
      );
      if (customerRequest === null) return;
      const result = await this.send(
        exclusionReminderMail(record, policy, ending),
        messageIdOf(exclusionId, 'reminder', mailDomain),
      );
      if (result.status === 'rejected') this.tellUnreached(result.reason);
    });
  }

  tellCalendar(date: string): void {
    if (this.toldDate === date) return;
    this.toldDate = date;
    this.tellSoc(`calendar-${date}`, (record, policy) => exclusionCalendarMail(record, policy, date));
  }

  private tellFailure(failed: FailedPart): void {
    const { revision } = this.current();
    // What comes of it is another mail than the one that said that it takes long: nothing of the record changes in between.
    const what = failed.reason === 'defender-request-failing' ? 'tried-on' : 'failed';
    this.tellSoc(`${failed.action}-${failed.part}-${what}-${revision}`, (record, policy) =>
      exclusionFailureMail(record, policy, failed),
    );
  }

  private tellUnreached(reason: string): void {
    this.tellSoc(`unreached-${reason}-${this.current().revision}`, (record, policy) =>
      exclusionUnreachedMail(record, policy, reason),
    );
  }

  private tellSoc(about: string, mailOf: (record: ExclusionRecord, policy: Policy) => RenderedMail): void {
    const record = this.current();
    this.begin(`tell ${about}`, async () => {
      const policy = await this.policy();
      await this.send(mailOf(record, policy), messageIdOf(record.exclusionId, about, policy.service.mailDomain));
    });
  }

  /** Without any nobody knows whom to write to: the customer may come back to the file. */
  private async policy(): Promise<Policy> {
    const { customerId } = this.current();
    for (;;) {
      const summary = "the customer's addresses";
      const policy = await recorded.readPolicy.executeWithOptions({ summary }, [{ customerId }]);
      const known = policy ?? this.current().policy;
      if (known !== undefined) return known;
      log.warn('the customer is not in the customers file: nobody can be told', { customerId });
      await sleep(POLICY_AGAIN_MS, { summary: 'the customer is not in the customers file' });
    }
  }

  /** Whose conversation the customer reads it in: the lead's, where its incident is linked. */
  private conversationOf(messageId: string, { references }: Thread): string | undefined {
    const mailDomain = /@([^@>]+)>$/.exec(messageId)?.[1] ?? '';
    const [first] = references.flatMap((id) => ownMail(id, mailDomain)?.workflowId ?? []);
    return first ?? exclusionIncidentOf(this.current()) ?? this.current().customerRequest?.mail?.conversation;
  }

  private async send(
    { kind, ...mail }: RenderedMail,
    messageId: string,
    thread: Thread = { references: [] },
  ): Promise<Exclude<MailResult, { status: 'uncertain' }>> {
    const incidentId = exclusionIncidentOf(this.current());
    const conversation = this.conversationOf(messageId, thread);
    const summary = `${kind} mail to ${kind.startsWith('soc') ? 'the SOC' : 'the customer'}`;
    const headers = {
      ...(incidentId === undefined ? {} : { 'X-Mimamori-Incident': incidentId }),
      'X-Mimamori-Kind': kind,
    };
    const { inReplyTo, references } = thread;
    let isTold = kind.startsWith('soc');
    const delayed = (why: string): void => {
      log.warn('a mail is delayed', { kind, why });
      if (isTold) return;
      isTold = true;
      this.tellUnreached('mail-delayed');
    };
    return handOver(
      (input) => patient.sendMail.executeWithOptions({ summary }, [input]),
      {
        messageId,
        ...(inReplyTo === undefined ? {} : { inReplyTo }),
        references,
        ...mail,
        headers,
        ...(kind.startsWith('soc') || conversation === undefined ? {} : { conversation }),
      },
      { delayed },
    );
  }
}
