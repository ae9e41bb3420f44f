import { condition, log, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import {
  afterStranger,
  afterTold,
  noStrangers,
  quietUntil,
  strangersNewsSchema,
  type Untold,
} from '../domain/held-mail/strangers.js';
import { heldMailNotice, strangersNotice } from '../domain/templates/inbound-soc.js';
import { messageIdOf } from '../domain/templates/thread.js';
import { toMs } from '../domain/time.js';
import { handOver } from './mail.js';
import { strangersMailSignal, strangersQuery, type StrangersInput } from './messages.js';
import { patient } from './outside.js';
import { goOnAsNew, now } from './support.js';

/**
 * Tells the SOC of strangers' mails, at most once an hour. Begins with the first of them, and ends when an hour has brought no
 * further one.
 */
export async function strangers({ state: carried }: StrangersInput): Promise<void> {
  let state = carried ?? noStrangers();
  setHandler(
    strangersMailSignal,
    (payload: unknown) => {
      const parsed = strangersNewsSchema.safeParse(payload);
      if (parsed.success) state = afterStranger(state, parsed.data);
      else log.warn('a signal of a stranger’s mail was not understood', { error: parsed.error.message });
    },
    { description: 'A stranger’s mail is held. The same one again changes nothing.' },
  );
  setHandler(strangersQuery, () => ({ toldAt: state.toldAt, untold: state.untold?.count ?? 0 }), {
    description: 'When the SOC was last mailed, and of how many it has not been.',
  });
  const mayGoOn = () => workflowInfo().continueAsNewSuggested;

  for (;;) {
    const { untold } = state;
    const until = quietUntil(state, now());
    setCurrentDetails(`Not told yet: ${untold?.count ?? 0}${until === null ? '' : `; told next at ${until}`}`);
    if (until === null && untold !== null) {
      state = { ...state, untold: null };
      await tell(untold);
      state = afterTold(state, now());
    } else if (mayGoOn()) {
      return goOnAsNew<typeof strangers>({ state });
    } else if (until !== null) {
      await condition(mayGoOn, toMs(until) - toMs(now()));
    } else if (state.toldAt === null) {
      await condition(() => state.untold !== null);
    } else {
      // Nothing is awaited before the end: a signal that comes now starts another task, which sees it.
      return;
    }
  }
}

async function tell({ first, count }: Untold): Promise<void> {
  const { mail, socMailTo, mailDomain } = first;
  const service = { socMailTo };
  const { kind, ...rendered } =
    count === 1
      ? heldMailNotice({ service, ...mail, customerName: null, incidentId: null })
      : strangersNotice({ service, count, since: mail.receivedAt });
  const about = count === 1 ? 'warn:held' : 'warn:gathered';
  await handOver(
    (input) => patient.sendMail.executeWithOptions({ summary: 'the SOC hears of strangers’ mails' }, [input]),
    {
      messageId: messageIdOf(mail.heldId, about, mailDomain),
      references: [],
      ...rendered,
      headers: { 'X-Mimamori-Kind': kind },
    },
    { delayed: () => undefined },
  );
}
