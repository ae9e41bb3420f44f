import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { conversationOf, isWarning, ownMail } from '../domain/customer-mail/conversation.js';
import type { InboundMail } from '../domain/customer-mail/mail.js';
import { incidentMailOf } from '../domain/customer-mail/news.js';
import {
  holdingOf,
  placeOf,
  type Claim,
  type ClaimKind,
  type HeldReason,
  type Place,
  type Surroundings,
} from '../domain/customer-mail/place.js';
import { contactOf } from '../domain/customer-mail/sender.js';
import { tokensInAddresses, tokensInSubject, type MailTokens, type TokenSeen } from '../domain/customer-mail/tag.js';
import { heldSummary, openHeld, type HeldMail } from '../domain/held-mail/record.js';
import { parseIncidentId } from '../domain/incident/record.js';
import { inquiryIdOf, parseInquiryId } from '../domain/inquiry/id.js';
import { heldSearch, isSet, searchKeys } from '../domain/lists.js';
import { MAIL_BEHIND } from '../domain/ports.js';
import { isForgotten } from '../domain/sealing.js';
import { assertNever, oneLine } from '../domain/text.js';
import { toInstant, type Instant } from '../domain/time.js';
import type { Policies } from '../policy.js';
import { mailBouncedSignal, type HeldMailInput } from '../workflows/messages.js';
import { listExecutions, signalRunning } from './executions.js';
import { findIncident, type Reach } from './incidents.js';
import { findInquiry, tellIncidentOfMail, tellInquiry, tellReplyBounced } from './inquiries.js';

/** What it takes to bring a mail to where it belongs. */
export interface Intake extends Reach {
  policies: Policies;
  tokens: MailTokens;
}

/** What has become of a mail: known by its content, so that the same one again comes to the same. */
export interface MailOutcome {
  is: Place['is'];
  /** The workflow that has it; null for one of our own mails. */
  workflowId: string | null;
  reason: HeldReason | null;
}

/** Two conversations that share a key are rare; many are an attack. */
const MAX_OF_ONE_KEY = 20;
const MAX_ANSWERED = 10;

async function conversationsOf({ client }: Intake, key: string): Promise<string[]> {
  const query = `${searchKeys.conversation.name} = '${key}'`;
  const { executions } = await listExecutions(client, query, MAX_OF_ONE_KEY);
  return [...new Set(executions.map(({ workflowId }) => workflowId))];
}

/**
 * When the conversation's incident was closed for good, or its inquiry; undefined where there is no such workflow, or its
 * customer was forgotten.
 */
function closingOf(intake: Intake, workflowId: string): Promise<{ closedAt: Instant | null } | undefined> {
  return knownClosing(intake, workflowId).catch((error: unknown) => {
    if (isForgotten(error)) return undefined;
    throw error;
  });
}

async function knownClosing({ client }: Intake, workflowId: string): Promise<{ closedAt: Instant | null } | undefined> {
  if (parseIncidentId(workflowId) !== undefined) {
    const known = await findIncident(client, workflowId);
    if (known === undefined) return undefined;
    return { closedAt: known.state === 'ended' ? (known.record.closed?.at ?? null) : null };
  }
  if (parseInquiryId(workflowId) === undefined) return undefined;
  const known = await findInquiry(client, workflowId);
  if (known === undefined) return undefined;
  return { closedAt: known.state === 'ended' ? known.record.updatedAt : null };
}

/** Of the mails of ours that it answers, the nearest first; of a report, the one that it is about and no other. */
function answeredMails(intake: Intake, mail: InboundMail): { workflowId: string; mail: string }[] {
  const reported = mail.report?.messageId;
  const ids = reported == null ? [...mail.inReplyTo, ...mail.references.toReversed()] : [reported];
  return ids.slice(0, MAX_ANSWERED).flatMap((id) => ownMail(id, intake.policies.service.mailDomain) ?? []);
}

/** Not whether there is such a mail, which workflows that are over cannot tell: a loop must end there too. */
function isAboutWarning(intake: Intake, mail: InboundMail): boolean {
  const [nearest] = answeredMails(intake, mail);
  return nearest !== undefined && isWarning(nearest);
}

/** Looks up what one mail names: mostly it names the same conversation several times, which is looked for once. */
class ClaimsOfMail {
  private readonly closings = new Map<string, ReturnType<typeof closingOf>>();
  private readonly byKey = new Map<string, Promise<string[]>>();

  constructor(
    private readonly intake: Intake,
    private readonly mail: InboundMail,
  ) {}

  private async claimOf(by: ClaimKind, workflowId: string, mail: string | null): Promise<Claim | undefined> {
    const conversation = conversationOf(workflowId);
    if (conversation === undefined) return undefined;
    const known = this.closings.get(workflowId) ?? closingOf(this.intake, workflowId);
    this.closings.set(workflowId, known);
    const closing = await known;
    return closing === undefined ? undefined : { by, workflowId, mail, ...conversation, ...closing };
  }

  /** The conversation of the mail that it answers: of the nearest one that is ours. */
  private async byReply(): Promise<Claim | undefined> {
    for (const own of answeredMails(this.intake, this.mail)) {
      const claim = await this.claimOf('reply', own.workflowId, own.mail);
      if (claim !== undefined) return claim;
    }
    return undefined;
  }

  /** Whose token it is: of the conversation that the mail answers anyway, or of one that has to be searched for. */
  private async workflowsOf({ token, key }: TokenSeen, answered: Claim | undefined): Promise<string[]> {
    const { tokens } = this.intake;
    if (answered !== undefined && tokens.isOf(token, answered.workflowId)) return [answered.workflowId];
    const found = this.byKey.get(key) ?? conversationsOf(this.intake, key);
    this.byKey.set(key, found);
    return (await found).filter((workflowId) => tokens.isOf(token, workflowId));
  }

  private async byToken(by: ClaimKind, seen: readonly TokenSeen[], answered: Claim | undefined): Promise<Claim[]> {
    const claims: Claim[] = [];
    for (const each of seen.slice(0, MAX_ANSWERED)) {
      for (const workflowId of await this.workflowsOf(each, answered)) {
        const claim = await this.claimOf(by, workflowId, null);
        if (claim !== undefined) claims.push(claim);
      }
    }
    return claims;
  }

  /** Every conversation that the mail names, the strongest evidence first. */
  async all(): Promise<Claim[]> {
    const { recipients, subject } = this.mail;
    const byReply = await this.byReply();
    const byAddress = await this.byToken('token-in-address', tokensInAddresses(recipients), byReply);
    const bySubject = await this.byToken('token-in-subject', tokensInSubject(subject), byReply);
    return [...byAddress, ...(byReply === undefined ? [] : [byReply]), ...bySubject];
  }
}

function contactIdOf(intake: Intake, customerId: string, { from }: InboundMail): string | null {
  const customer = intake.policies.find(customerId)?.customer;
  return customer === undefined || from === null ? null : (contactOf(customer, from.address)?.id ?? null);
}

/** Keeps a mail for an analyst. Twice the same one is one. */
async function hold(
  { client, taskQueue, policies }: Intake,
  held: Pick<HeldMail, 'mail' | 'reason' | 'customerId' | 'incidentId' | 'isTold' | 'isStrangers'>,
): Promise<string> {
  const record = openHeld(held, toInstant(Date.now()));
  const { socMailTo, mailDomain } = policies.service;
  const customer = held.customerId === null ? undefined : policies.find(held.customerId)?.customer;
  const input: HeldMailInput = { held: record, socMailTo, mailDomain, customerName: customer?.name ?? null };
  const summary = heldSummary(record);
  try {
    await client.workflow.start('heldMail', {
      workflowId: record.heldId,
      taskQueue,
      args: [input],
      memo: { heldMail: summary },
      typedSearchAttributes: heldSearch(summary).filter(isSet),
      priority: MAIL_BEHIND,
      staticSummary: `a mail kept for an analyst: ${held.reason}`,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return record.heldId;
}

/** Hands a mail to the inquiry of a conversation; `acceptedBy`: on whose word, where nothing in it proves that it belongs there. */
export async function hand(
  intake: Intake,
  mail: InboundMail,
  to: { customerId: string; incidentId: string | null; inquiryId: string | null },
  acceptedBy: string | null,
): Promise<string> {
  const { customerId, incidentId } = to;
  const inquiryId = to.inquiryId ?? inquiryIdOf(customerId, { mailKey: mail.key });
  const contactId = contactIdOf(intake, customerId, mail);
  await tellInquiry(intake, { inquiryId, customerId, incidentId }, { mail, contactId, acceptedBy });
  return inquiryId;
}

async function report(intake: Intake, mail: InboundMail, workflowId: string, messageId: string): Promise<boolean> {
  const { key, receivedAt } = mail;
  const recipients = mail.report?.recipients ?? [];
  if (parseIncidentId(workflowId) !== undefined) {
    return signalRunning(intake.client, workflowId, mailBouncedSignal, { key, messageId, receivedAt, recipients });
  }
  const failed = recipients.filter(({ action }) => action === 'failed');
  // A report that names nobody has told of no success.
  if (failed.length === 0 && recipients.length > 0) return true;
  const words = failed.map(({ address, diagnostic }) => `${address}: ${diagnostic}`).join('; ');
  return tellReplyBounced(intake.client, workflowId, { messageId, words: oneLine(words, 900) });
}

async function surroundingsOf(intake: Intake, mail: InboundMail): Promise<Surroundings> {
  const { policies } = intake;
  return {
    claims: await new ClaimsOfMail(intake, mail).all(),
    customers: policies.customerIds().flatMap((id) => policies.find(id)?.customer ?? []),
    ownAddresses: policies.service.ownAddresses ?? [],
    isAboutWarning: isAboutWarning(intake, mail),
    now: toInstant(Date.now()),
  };
}

/** Keeps a mail of which only the head is known: whose it seems to be, that tells all the same. */
async function holdHead(
  intake: Intake,
  head: InboundMail,
  reason: 'too-large' | 'unreadable',
  note: string,
): Promise<MailOutcome> {
  const mail = { ...head, notes: [...head.notes, note].slice(-20) };
  const holding = holdingOf(mail, await surroundingsOf(intake, mail));
  return { is: 'held', workflowId: await hold(intake, { mail, reason, ...holding }), reason };
}

export function holdTooLarge(intake: Intake, head: InboundMail, sizeBytes: number): Promise<MailOutcome> {
  return holdHead(intake, head, 'too-large', `too large: ${sizeBytes} bytes`);
}

export function holdUnreadable(intake: Intake, head: InboundMail, note: string): Promise<MailOutcome> {
  return holdHead(intake, head, 'unreadable', note);
}

/**
 * Brings a mail that has come in to where it belongs, and says where. Nothing is lost by a crash in between: whoever brings it does
 * so again until this has returned.
 */
export async function takeIn(intake: Intake, mail: InboundMail): Promise<MailOutcome> {
  const place = placeOf(mail, await surroundingsOf(intake, mail));
  const kept = async (reason: HeldReason, of: Partial<HeldMail> = {}): Promise<MailOutcome> => {
    const nobodys = { customerId: null, incidentId: null, isTold: true, isStrangers: false };
    return { is: 'held', workflowId: await hold(intake, { mail, reason, ...nobodys, ...of }), reason };
  };
  switch (place.is) {
    case 'inquiry':
      return { is: 'inquiry', workflowId: await hand(intake, mail, place, null), reason: null };
    case 'recorded': {
      const { customerId, incidentId } = place;
      if (incidentId === null) {
        return { is: 'recorded', workflowId: await hand(intake, mail, place, null), reason: null };
      }
      const contactId = contactIdOf(intake, customerId, mail);
      const noted = incidentMailOf(mail, { contactId, acceptedBy: null, inquiryId: null });
      const told = await tellIncidentOfMail(intake, incidentId, { mails: [noted], report: null });
      return told === 'told' ? { is: 'recorded', workflowId: incidentId, reason: null } : kept('not-a-message');
    }
    case 'report': {
      const { workflowId, messageId } = place;
      const isTold = await report(intake, mail, workflowId, messageId);
      return isTold ? { is: 'report', workflowId, reason: null } : kept('unmatched-report');
    }
    case 'held':
      return kept(place.reason, place);
    case 'own':
      return { is: 'own', workflowId: null, reason: null };
    default:
      return assertNever(place);
  }
}
