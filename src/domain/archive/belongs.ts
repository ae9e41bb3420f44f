import type { IncidentRecord } from '../incident/record.js';
import type { IncidentSummary } from '../incident/view.js';

/*
 * What is kept for good: every closed incident that an analyst could have had. Of the alerts that the rules have kept out there
 * are thousands; one that comes again is judged anew, and ends the same way.
 */

/** Did an analyst have it at any time, or could have had it? */
export function wasOpen({ verdicts, reopenedAt, timeline }: IncidentRecord): boolean {
  if (verdicts.length > 0 || reopenedAt !== null) return true;
  return timeline.some(({ type, data }) => type === 'scope' && data?.['inScope'] === true);
}

/** What a list alone can tell: the rules had closed it as it came in, and nothing has happened since. */
export function wasNeverOpen({ level, createdAt, updatedAt }: IncidentSummary): boolean {
  return level === null && createdAt === updatedAt;
}
