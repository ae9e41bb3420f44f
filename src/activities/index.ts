import type { Outside } from '../domain/ports.js';
import { archiveActivities, type ArchiveDeps } from './archive.js';
import { auditActivities, type AuditDeps } from './audit.js';
import { exclusionActivities, type ExclusionDeps } from './exclusions.js';
import { feedActivities, type FeedDeps } from './feed.js';
import { defenderActivities, type DefenderDeps } from './defender.js';
import { mailActivities, type MailDeps } from './mail.js';
import { mailboxActivities, type MailboxDeps } from './mailbox.js';
import { messageActivities, type MessageDeps } from './messages.js';
import { phoneActivities, type PhoneDeps } from './phone.js';
import { exclusionFinder } from '../temporal/exclusions.js';
import { createPolicyReader } from '../temporal/run-time-policy.js';
import type { TellDeps } from './support.js';

export type ActivityDeps = Omit<
  ArchiveDeps &
    AuditDeps &
    DefenderDeps &
    ExclusionDeps &
    FeedDeps &
    MailboxDeps &
    MailDeps &
    MessageDeps &
    PhoneDeps &
    TellDeps,
  'readPolicy' | 'findExclusion'
>;

/** Every side effect of the service, one file per outside system. */
export function createActivities(given: ActivityDeps): Outside {
  const { client, policies } = given;
  const deps = {
    ...given,
    readPolicy: createPolicyReader(client, policies),
    findExclusion: exclusionFinder(client),
  };
  return {
    ...archiveActivities(deps),
    ...auditActivities(deps),
    ...defenderActivities(deps),
    ...exclusionActivities(deps),
    ...feedActivities(deps),
    ...mailActivities(deps),
    ...mailboxActivities(deps),
    ...messageActivities(deps),
    ...phoneActivities(deps),
  };
}
