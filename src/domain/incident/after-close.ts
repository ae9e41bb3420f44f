import type { Severity } from '../alert.js';
import { bilingual, type Bilingual } from '../text.js';
import { scopeOf } from './assessment.js';
import { currentVerdict, type IncidentRecord } from './record.js';

/*
 * What an analyst who has closed an incident has to hear of: whatever makes the alert more dangerous than it was judged, or
 * contradicts the judgement. Anything else is on the timeline.
 */

const RANK: Record<Severity, number> = { Informational: 0, Low: 1, Medium: 2, High: 3, unknown: 3 };
const FAILED_INVESTIGATIONS = ['failed', 'partiallyremediated', 'innerfailure'];

function hasFailed({ alert }: IncidentRecord): boolean {
  return FAILED_INVESTIGATIONS.includes(alert.investigationState?.toLowerCase() ?? '');
}

function unstopped({ alert: { neutralisation } }: IncidentRecord): number {
  return neutralisation.judged - neutralisation.good;
}

function isTruePositive({ alert }: IncidentRecord): boolean {
  return alert.classification?.toLowerCase() === 'truepositive';
}

/** What has become more dangerous from one version of the alert to the next, in words; empty for what is harmless. */
export function dangers(before: IncidentRecord, after: IncidentRecord): Bilingual[] {
  const found: Bilingual[] = [];
  if (scopeOf(after).inScope) {
    if (RANK[after.alert.severity] > RANK[before.alert.severity]) {
      found.push(bilingual('its severity was raised', '危険度が上がりました'));
    }
    if (!scopeOf(before).inScope) found.push(bilingual('it came into scope', '監視対象になりました'));
    if (after.watchesClosed !== true) return found;
    if (hasFailed(after) && !hasFailed(before)) {
      found.push(bilingual('its remediation failed', '自動調査による復旧に失敗しました'));
    }
    const isActiveAgain = after.alert.neutralisation.active > before.alert.neutralisation.active;
    if (isActiveAgain || unstopped(after) > unstopped(before)) {
      found.push(bilingual('evidence is active that was not', '停止されていない検知対象が増えました'));
    }
  }
  // Whoever judged it so themselves, and says it in the portal too, tells nothing new.
  const isContradicted = currentVerdict(after)?.judgement !== 'true-positive';
  if (after.watchesClosed === true && isContradicted && isTruePositive(after) && !isTruePositive(before)) {
    found.push(bilingual('somebody calls it a true positive', 'ポータルで正検知に分類されました'));
  }
  return found;
}
