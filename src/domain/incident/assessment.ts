import type { AlertRecord } from '../alert.js';
import { assessScope, type DeviceKnowledge, type Scope } from '../scope.js';
import { bilingual } from '../text.js';
import { toMs, type Instant } from '../time.js';
import type { IncidentRecord, TimelineEntry } from './record.js';

function knowledgeOf(record: IncidentRecord): DeviceKnowledge {
  const { machineId } = record.alert;
  if (machineId === null) return 'no-device';
  const facts = record.devices.find((device) => device.machineId === machineId)?.facts;
  if (facts == null) return 'not-looked-up';
  return facts.found ? facts.kind : 'not-found';
}

export function scopeOf(record: IncidentRecord): Scope {
  const alsoInScope = record.policy?.customer.defender.alsoInScope ?? [];
  return assessScope(record.alert, knowledgeOf(record), alsoInScope, record.exclusion?.match?.text ?? null);
}

/** An alert may say that it was made in the future; the clock then starts when we saw it. */
export function detectedAt(alert: AlertRecord, receivedAt: Instant): Instant {
  return toMs(alert.createdAt) > toMs(receivedAt) ? receivedAt : alert.createdAt;
}

export function hasTarget(alert: AlertRecord): boolean {
  return alert.severity === 'High' || alert.severity === 'unknown';
}

function narrateScope(scope: Scope, at: Instant): TimelineEntry {
  const telling = scope.explanation.filter(({ passed, flagged }) => flagged || passed === scope.inScope);
  const reasons = scope.inScope ? telling.filter(({ flagged }) => flagged) : telling;
  const en = reasons.map(({ reason }) => reason.en).join(' ');
  const ja = reasons.map(({ reason }) => reason.ja).join('');
  const text = scope.inScope
    ? bilingual(`In scope. ${en}`.trim(), `監視対象です。${ja}`)
    : bilingual(`Not analysed: ${en}`, `分析対象外です: ${ja}`);
  return { at, actor: 'mimamori', type: 'scope', text, data: { inScope: scope.inScope } };
}

/** Looks at the rules again after news, and notes when the alert came into scope or under the time target. */
export function reassess(before: IncidentRecord, after: IncidentRecord, at: Instant, since: Instant): IncidentRecord {
  const was = scopeOf(before);
  const is = scopeOf(after);
  const cameIn = is.inScope && after.scopeSince === null;
  const raised = hasTarget(after.alert) && after.targetSince === null;
  // The rules can be asked once the customer's policy is known; what they let in then was in scope from its detection.
  const first = before.policy === null && after.policy !== null;
  const entryNow = narrateScope(is, at);
  const changed = first || JSON.stringify(narrateScope(was, at)) !== JSON.stringify(entryNow);
  const entry: IncidentRecord['scopeSince'] = first
    ? { at: detectedAt(after.alert, after.createdAt), because: 'detected' }
    : { at: since, because: 'came-into-scope' };
  return {
    ...after,
    scopeSince: is.inScope ? (after.scopeSince ?? entry) : after.reopenedAt !== null ? after.scopeSince : null,
    targetSince: hasTarget(after.alert) ? (after.targetSince ?? { at: since, because: 'severity-raised' }) : null,
    timeline: changed || cameIn || raised ? [...after.timeline, entryNow] : after.timeline,
  };
}
