import { exclusionInputSchema } from '../../src/domain/exclusion/commands.js';
import { evolve, openExclusion } from '../../src/domain/exclusion/evolve.js';
import type { ExclusionFact } from '../../src/domain/exclusion/facts.js';
import type { ExclusionRecord } from '../../src/domain/exclusion/record.js';
import {
  exclusionCalendarMail,
  exclusionFailureMail,
  exclusionReminderSocMail,
  exclusionUnreachedMail,
} from '../../src/domain/templates/exclusion-soc.js';
import {
  exclusionConfirmedMail,
  exclusionEndedMail,
  exclusionReminderMail,
} from '../../src/domain/templates/exclusion.js';
import type { RenderedMail } from '../../src/domain/templates/kinds.js';
import type { Language } from '../../src/domain/text.js';
import { DAY_MS, plus } from '../../src/domain/time.js';
import { policies } from './customers.js';
import { minute } from './story.js';
import { texts } from './texts.js';

const OPENED = minute(90);
const EXPIRES = plus(OPENED, 90 * DAY_MS);
const ENDING = { hits: 12, now: plus(EXPIRES, -14 * DAY_MS) };
const SET: readonly ExclusionFact[] = [
  { type: 'approved', actor: 'yamada', reason: '' },
  { type: 'part-set', part: 'own-filter', detail: [] },
];

function exclusionOf(language: Language, facts: readonly ExclusionFact[], more: Record<string, unknown> = {}) {
  const { customer } = policies[language];
  const { reason } = texts[language];
  const opened = openExclusion(
    {
      exclusionId: `exclusion:${customer.id}:7c1e4a`,
      customerId: customer.id,
      policy: policies[language],
      input: exclusionInputSchema.parse({
        conditions: { fileName: 'backup.exe', folderPath: 'C:\\Backup\\*' },
        reason,
        expiresAt: EXPIRES,
        set: { ownFilter: true },
        customerRequest: {
          by: customer.contacts[0]?.name,
          channel: 'mail',
          receivedAt: minute(80),
          words: reason,
        },
        incidentId: `incident:${customer.id}:da638678910042_-1123581321`,
        ...more,
      }),
      proposer: 'tanaka',
      asksCustomer: false,
      breadth: { matched: 12, of: 210, approvalsNeeded: 1 },
    },
    OPENED,
  );
  return facts.reduce((record, fact) => evolve(record, fact, OPENED), opened);
}

/** Every mail about exclusions that a customer receives, by the name of its file. */
export function exclusionMails(language: Language): Record<string, RenderedMail> {
  const policy = policies[language];
  const registered = exclusionOf(language, SET);
  const ended = (record: ExclusionRecord, fact: ExclusionFact) =>
    exclusionEndedMail(evolve(record, fact, EXPIRES), policy, null);
  return {
    'exclusion-confirmed': exclusionConfirmedMail(registered, policy, null),
    'exclusion-confirmed-indicator': exclusionConfirmedMail(
      exclusionOf(language, [...SET, { type: 'part-set', part: 'defender-indicator', detail: ['4711'] }], {
        conditions: { sha256: '9f2c'.repeat(16) },
        set: { ownFilter: true, defenderIndicator: true },
      }),
      policy,
      null,
    ),
    'exclusion-reminder': exclusionReminderMail(registered, policy, ENDING),
    'exclusion-ended': ended(registered, { type: 'expired' }),
    'exclusion-declined': ended(exclusionOf(language, []), {
      type: 'declined',
      actor: 'yamada',
      reason: texts[language].tooBroad,
    }),
  };
}

/** What the SOC hears of exclusions. */
export function exclusionSocMails(): Record<string, RenderedMail> {
  const policy = policies.ja;
  const registered = exclusionOf('ja', SET);
  return {
    'soc-exclusion-ends': exclusionReminderSocMail(registered, policy, ENDING),
    'soc-exclusion-not-set': exclusionFailureMail(registered, policy, {
      part: 'own-filter',
      action: 'set',
      reason: 'E_UNKNOWN',
    }),
    'soc-exclusion-unreached': exclusionUnreachedMail(registered, policy, 'mail-rejected'),
    'soc-exclusion-calendar': exclusionCalendarMail(exclusionOf('ja', []), policy, '2051-01-01'),
  };
}
