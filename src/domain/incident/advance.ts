import { isByRules } from '../scope.js';
import { scopeOf } from './assessment.js';
import { evolve } from './evolve.js';
import type { Fact } from './facts.js';
import type { IncidentRecord } from './record.js';
import { isReminderDue } from './reminders.js';
import { deadlineToSee, dueBreach, dueWarning } from './slo.js';
import { dueClosure, isTuningOver, isUntriagedWarningDue } from './stage.js';
import type { Instant } from '../time.js';

/** What time and the rules alone have brought about and the record does not say yet. */
function dueFact(record: IncidentRecord, now: Instant): Fact | undefined {
  const { closed } = record;
  if (isByRules(closed?.reason) && scopeOf(record).inScope) {
    return {
      type: 'reopened',
      actor: 'mimamori',
      words: 'the alert has come into scope (アラートが監視対象になりました)',
      byRules: true,
    };
  }
  const closure = dueClosure(record, now);
  if (closure !== undefined) return { type: 'closed', reason: closure, actor: 'mimamori', words: null };
  const dueAt = deadlineToSee(record, now);
  if (dueAt !== undefined) return { type: 'deadline-seen', dueAt };
  const breach = dueBreach(record, now);
  if (breach !== undefined) return { type: 'breached', breach };
  const warning = dueWarning(record, now);
  if (warning !== undefined) return { type: 'warned', ...warning };
  if (isUntriagedWarningDue(record, now)) return { type: 'untriaged-warned' };
  if (isTuningOver(record, now)) return { type: 'tuning-over' };
  if (isReminderDue(record, now)) return { type: 'reminder-due' };
  return undefined;
}

/** The record with everything on it that time and the rules alone have brought about. */
export function advance(record: IncidentRecord, now: Instant): IncidentRecord {
  let next = record;
  for (let fact = dueFact(next, now); fact !== undefined; fact = dueFact(next, now)) {
    next = evolve(next, fact, now);
  }
  return next;
}
