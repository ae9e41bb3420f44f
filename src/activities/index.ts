import type { Outside } from '../domain/ports.js';
import { defenderActivities, type DefenderDeps } from './defender.js';
import { mailActivities, type MailDeps } from './mail.js';
import { messageActivities, type MessageDeps } from './messages.js';
import { phoneActivities, type PhoneDeps } from './phone.js';

export type ActivityDeps = DefenderDeps & MailDeps & MessageDeps & PhoneDeps;

/** Every side effect of the service, one file per outside system. */
export function createActivities(deps: ActivityDeps): Outside {
  return {
    ...defenderActivities(deps),
    ...mailActivities(deps),
    ...messageActivities(deps),
    ...phoneActivities(deps),
  };
}
