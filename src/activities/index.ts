import type { Outside } from '../domain/ports.js';
import { auditActivities, type AuditDeps } from './audit.js';
import { feedActivities, type FeedDeps } from './feed.js';
import { defenderActivities, type DefenderDeps } from './defender.js';
import { mailActivities, type MailDeps } from './mail.js';
import { messageActivities, type MessageDeps } from './messages.js';
import { phoneActivities, type PhoneDeps } from './phone.js';
import type { TellDeps } from './support.js';

export type ActivityDeps = AuditDeps & DefenderDeps & FeedDeps & MailDeps & MessageDeps & PhoneDeps & TellDeps;

/** Every side effect of the service, one file per outside system. */
export function createActivities(deps: ActivityDeps): Outside {
  return {
    ...auditActivities(deps),
    ...defenderActivities(deps),
    ...feedActivities(deps),
    ...mailActivities(deps),
    ...messageActivities(deps),
    ...phoneActivities(deps),
  };
}
