import { allHandlersFinished, condition, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { reasonSchema, type CommandOutcome } from '../domain/commands.js';
import { conversationOf } from '../domain/customer-mail/conversation.js';
import { reject } from '../domain/errors.js';
import {
  acceptanceSchema,
  evolveHeld,
  heldSummary,
  heldView,
  judgeSettling,
  type HeldFact,
  type HeldMail,
  type HeldSummary,
} from '../domain/held-mail/record.js';
import { escapeMarkdown } from '../domain/incident/details.js';
import { heldSearch } from '../domain/lists.js';
import { heldMailNotice } from '../domain/templates/inbound-soc.js';
import { messageIdOf } from '../domain/templates/thread.js';
import { commandsOf } from './commands.js';
import { handOver } from './mail.js';
import { heldAcceptUpdate, heldDismissUpdate, heldQuery, type HeldMailInput } from './messages.js';
import { patient, recorded } from './outside.js';
import { now, Showcase } from './support.js';

/**
 * A mail that could not be matched, or not be trusted, until an analyst has looked at it. The SOC is told of it once.
 *
 * @returns the mail, and what was decided
 */
export async function heldMail({
  held: opened,
  socMailTo,
  mailDomain,
  customerName,
}: HeldMailInput): Promise<HeldMail> {
  let held = opened;
  const apply = (fact: HeldFact): void => {
    held = evolveHeld(held, fact, now());
  };
  const showcase = new Showcase<{ heldMail: HeldSummary }>(
    ({ heldMail: shown }) => heldSearch(shown),
    ({ heldMail: shown }) => JSON.stringify(shown),
    { heldMail: heldSummary(opened) },
  );
  const command = commandsOf({
    handled: () => held.handled,
    keep: (handled) => apply({ type: 'command-handled', ...handled }),
  });
  const take = (fact: HeldFact): CommandOutcome => {
    apply(fact);
    return { revision: held.revision, at: now() };
  };
  command(
    heldAcceptUpdate,
    acceptanceSchema,
    'It belongs to this conversation, on the analyst’s word.',
    ({ body }) =>
      judgeSettling(held) ??
      (conversationOf(body.conversationOf) === undefined
        ? reject('invalid-input', 'There is no such conversation.', [
            { path: 'conversationOf', message: 'is neither an incident nor an inquiry' },
          ])
        : undefined),
    ({ body, actor }) => {
      const inquiryId = conversationOf(body.conversationOf)?.inquiryId ?? '';
      return take({ type: 'accepted', actor, reason: body.reason, inquiryId });
    },
  );
  command(
    heldDismissUpdate,
    reasonSchema,
    'Nothing has to be done about it.',
    () => judgeSettling(held),
    ({ body, actor }) => take({ type: 'dismissed', actor, reason: body.reason }),
  );
  setHandler(heldQuery, () => heldView(held), { description: 'The mail, and why it is kept.' });

  setCurrentDetails(
    `**${held.reason}**\n\n${escapeMarkdown(held.mail.from?.address ?? 'nobody')}: ${escapeMarkdown(held.mail.subject)}`,
  );
  // Beside the rest: a mail server that is down keeps nobody from accepting it.
  const telling = !held.isTold ? Promise.resolve() : held.isStrangers === true ? tellTogether() : tellSoc();
  const shownThere = tellIncident(true);
  await condition(() => held.state !== 'held');
  const { settled } = held;
  if (settled?.inquiryId != null) {
    await recorded.passOnMail.executeWithOptions({ summary: 'the inquiry has it' }, [
      { mail: held.mail, inquiryId: settled.inquiryId, acceptedBy: settled.actor },
    ]);
  }
  showcase.show({ heldMail: heldSummary(held) });
  await shownThere;
  await tellIncident(false);
  await telling;
  await condition(allHandlersFinished);
  return held;

  /** One that was stopped from outside hears of it when it goes on. */
  async function tellIncident(isWaiting: boolean): Promise<void> {
    const { incidentId, heldId, reason } = held;
    if (held.ways !== 2 || incidentId === null) return;
    const summary = isWaiting ? 'the incident shows that it waits' : 'the incident shows it no more';
    await recorded.tellOfInquiry.executeWithOptions({ summary }, [
      { incidentId, news: { mails: [], report: null, held: { heldId, reason, isWaiting } } },
    ]);
  }

  async function tellTogether(): Promise<void> {
    const { heldId, reason, mail } = held;
    const { from, subject, receivedAt } = mail;
    const strangers = { heldId, reason, from: from?.address ?? null, subject, receivedAt };
    const summary = 'the SOC hears of strangers’ mails together';
    await recorded.tellOfStranger.executeWithOptions({ summary }, [{ mail: strangers, socMailTo, mailDomain }]);
  }

  async function tellSoc(): Promise<void> {
    const { kind, ...mail } = heldMailNotice({
      service: { socMailTo },
      heldId: held.heldId,
      reason: held.reason,
      from: held.mail.from?.address ?? null,
      subject: held.mail.subject,
      receivedAt: held.mail.receivedAt,
      customerName,
      incidentId: held.incidentId,
    });
    await handOver(
      (input) => patient.sendMail.executeWithOptions({ summary: 'the SOC hears of it' }, [input]),
      {
        messageId: messageIdOf(held.heldId, 'warn:held', mailDomain),
        references: [],
        ...mail,
        headers: { 'X-Mimamori-Kind': kind },
      },
      { delayed: () => undefined },
    );
  }
}
