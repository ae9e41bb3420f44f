import type { Customer } from '../customer.js';
import { assertNever } from '../text.js';
import { DAY_MS, toMs, type Instant } from '../time.js';
import { isToCustomer } from './conversation.js';
import type { InboundMail } from './mail.js';
import { isOfCustomer, isRegistered } from './sender.js';

/** 「…終了後90日」: so long after its incident has closed a conversation still takes mail. */
const HOLDS_AFTER_CLOSE_MS = 90 * DAY_MS;

/** How a mail names a conversation, the strongest first. Its From alone never does. */
export const claimKinds = ['token-in-address', 'reply', 'token-in-subject'] as const;
export type ClaimKind = (typeof claimKinds)[number];

/** A conversation that the mail names, and that exists. */
export interface Claim {
  by: ClaimKind;
  /** Whose mail it answers: the incident's own, or its inquiry's. */
  workflowId: string;
  customerId: string;
  incidentId: string | null;
  inquiryId: string;
  /** Which of our mails it answers, where it says so: `mail:primary`, `warn:breach:0`. */
  mail: string | null;
  closedAt: Instant | null;
}

/** Why a mail is kept for an analyst. */
export const heldReasons = [
  'no-sender',
  'unknown-sender',
  'other-customers-token',
  'not-this-customers-address',
  'authentication-failed',
  'expired-token',
  'ambiguous',
  'too-large',
  'unreadable',
  'unmatched-report',
  'not-a-message',
] as const;
export type HeldReason = (typeof heldReasons)[number];

/** What becomes of a mail that has come in. */
export type Place =
  /** A customer's words, in the conversation of an incident or in one of their own. */
  | { is: 'inquiry'; customerId: string; incidentId: string | null; inquiryId: string | null }
  /** Written by no person: on the record of the incident, or of the inquiry where there is none, and answered by nobody. */
  | { is: 'recorded'; customerId: string; incidentId: string | null; inquiryId: string }
  /** What has become of one of our mails to a customer. */
  | { is: 'report'; workflowId: string; messageId: string }
  /** Kept for an analyst; `isTold`: the SOC hears of it by mail; `isStrangers`: together with others of that kind. */
  | {
      is: 'held';
      reason: HeldReason;
      customerId: string | null;
      incidentId: string | null;
      isTold: boolean;
      isStrangers: boolean;
    }
  /** One of this service's own, or about one to the SOC: nothing to do, and nobody to tell. */
  | { is: 'own' };

export interface Surroundings {
  /** In the order of the mail's own evidence: see `claimKinds`. */
  claims: readonly Claim[];
  customers: readonly Customer[];
  /** This service's own addresses: what comes from them is never answered and never told by mail. */
  ownAddresses: readonly string[];
  /** Is it about a mail of ours to the SOC? Whatever it is then, a further mail to the SOC might call forth the next of it. */
  isAboutWarning: boolean;
  now: Instant;
}

function strongest(claims: readonly Claim[]): Claim | undefined {
  for (const kind of claimKinds) {
    const first = claims.find(({ by }) => by === kind);
    if (first !== undefined) return first;
  }
  return undefined;
}

/** Where it came by a mail to the SOC: there is no customer in it. */
function isToSoc({ mail }: Claim): boolean {
  return mail !== null && !isToCustomer(mail);
}

/** What may be another customer's mail is nothing for those who work for the claimed one alone. */
function mayBeAnothers({ from }: InboundMail, around: Surroundings, claim: Claim): boolean {
  if (isOfSeveral(around, claim)) return true;
  const claimed = customerOf(around, claim);
  if (from === null || (claimed !== undefined && isOfCustomer(claimed, from.address))) return false;
  return around.customers.some((customer) => customer !== claimed && isOfCustomer(customer, from.address));
}

type Held = Extract<Place, { is: 'held' }>;
type Holding = Pick<Held, 'customerId' | 'incidentId' | 'isTold' | 'isStrangers'>;

/** How a mail is held, whatever for: whose it seems to be, and whether the SOC hears of it by mail. */
export function holdingOf(mail: InboundMail, around: Surroundings): Holding {
  const claim = strongest(around.claims);
  const of = claim === undefined || mayBeAnothers(mail, around, claim) ? undefined : claim;
  return {
    customerId: of?.customerId ?? null,
    incidentId: of?.incidentId ?? null,
    isTold: !isOurs(mail, around) && (!around.isAboutWarning || isByContact(mail, around)),
    isStrangers: isStrangers(mail, around),
  };
}

/** It names no conversation, and its sender is nobody's. A delivery report never is: it may be about a mail of ours. */
function isStrangers({ from, nature }: InboundMail, { claims, customers }: Surroundings): boolean {
  if (claims.length > 0 || nature === 'delivery-report') return false;
  return from === null || !customers.some((customer) => isOfCustomer(customer, from.address));
}

function isOurs({ from }: InboundMail, { ownAddresses }: Surroundings): boolean {
  return from !== null && ownAddresses.includes(from.address);
}

/** A person of a customer's is heard whatever they answer: what goes round in a circle is a machine. */
function isByContact({ from, nature }: InboundMail, { customers }: Surroundings): boolean {
  return nature === 'message' && from !== null && customers.some((customer) => isRegistered(customer, from.address));
}

function isOver({ closedAt }: Claim, { now }: Surroundings): boolean {
  return closedAt !== null && toMs(now) > toMs(closedAt) + HOLDS_AFTER_CLOSE_MS;
}

/** Where a mail belongs: pure, so that every hostile mail can be a row of a table. */
export function placeOf(mail: InboundMail, around: Surroundings): Place {
  const { nature } = mail;
  const isOwnAddress = isOurs(mail, around);
  const claim = strongest(around.claims);
  const held = (reason: HeldReason): Held => ({ is: 'held', reason, ...holdingOf(mail, around) });

  switch (nature) {
    case 'own':
      // Whoever only says so is not believed: a mail is not lost by a header.
      return isOwnAddress ? { is: 'own' } : placeOf({ ...mail, nature: 'message' }, around);
    case 'delivery-report':
      return placeReport(mail, around, held);
    case 'auto-reply':
    case 'read-receipt':
    case 'list': {
      if (claim === undefined) return isOwnAddress || around.isAboutWarning ? { is: 'own' } : held('not-a-message');
      if (isToSoc(claim)) return { is: 'own' };
      if (isOfSeveral(around, claim)) return held('ambiguous');
      if (!isSendersOwn(mail, around, claim)) return held('not-a-message');
      if (isOver(claim, around)) return held('expired-token');
      const { customerId, incidentId, inquiryId } = claim;
      return { is: 'recorded', customerId, incidentId, inquiryId };
    }
    case 'message':
      return placeMessage(mail, around, claim, held);
    default:
      return assertNever(nature);
  }
}

type Hold = (reason: HeldReason) => Held;

function isOfSeveral({ claims }: Surroundings, { customerId }: Claim): boolean {
  return claims.some((other) => other.customerId !== customerId);
}

function customerOf({ customers }: Surroundings, { customerId }: Claim): Customer | undefined {
  return customers.find(({ id }) => id === customerId);
}

function isSendersOwn({ from }: InboundMail, around: Surroundings, claim: Claim): boolean {
  const customer = customerOf(around, claim);
  return from !== null && customer !== undefined && isOfCustomer(customer, from.address);
}

/** Is the report about a mail that nobody but the SOC was sent? Telling the SOC of that by mail would go on for ever. */
function isAboutSoc({ report }: InboundMail, { ownAddresses }: Surroundings): boolean {
  const recipients = report?.recipients ?? [];
  return recipients.length > 0 && recipients.every(({ address }) => ownAddresses.includes(address));
}

function placeReport(mail: InboundMail, around: Surroundings, held: Hold): Place {
  const about = around.claims.find(({ by }) => by === 'reply');
  const messageId = mail.report?.messageId ?? null;
  // A mail to a customer is owed to them, whoever else had it.
  if (about !== undefined && messageId !== null && !isToSoc(about)) {
    return { is: 'report', workflowId: about.workflowId, messageId };
  }
  const isSocs = about === undefined ? around.isAboutWarning || isAboutSoc(mail, around) : isToSoc(about);
  return isSocs ? { is: 'own' } : held('unmatched-report');
}

function placeMessage(mail: InboundMail, around: Surroundings, claim: Claim | undefined, held: Hold): Place {
  const { from } = mail;
  if (from === null) return held('no-sender');
  if (mail.authentication.verdict === 'failed') return held('authentication-failed');
  if (claim === undefined) return placeUnclaimed(from.address, around, held);
  // An answer to a warning comes from within.
  if (isToSoc(claim)) return held('unknown-sender');
  if (isOfSeveral(around, claim)) return held('ambiguous');
  if (!isSendersOwn(mail, around, claim)) {
    const others = around.customers.filter(({ id }) => id !== claim.customerId);
    return held(
      others.some((customer) => isOfCustomer(customer, from.address))
        ? 'other-customers-token'
        : 'not-this-customers-address',
    );
  }
  const { customerId, incidentId, inquiryId } = claim;
  if (!isOver(claim, around)) return { is: 'inquiry', customerId, incidentId, inquiryId };
  // A person whom we know has something to ask, whatever it answers.
  const customer = customerOf(around, claim);
  return customer !== undefined && isRegistered(customer, from.address)
    ? { is: 'inquiry', customerId, incidentId: null, inquiryId: null }
    : held('expired-token');
}

function placeUnclaimed(address: string, { customers }: Surroundings, held: Hold): Place {
  const known = customers.filter((customer) => isRegistered(customer, address));
  const [only, ...others] = known;
  if (only === undefined) return held('unknown-sender');
  if (others.length > 0) return held('ambiguous');
  return { is: 'inquiry', customerId: only.id, incidentId: null, inquiryId: null };
}
