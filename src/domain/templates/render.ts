import type { MailTopic } from '../incident/duties.js';
import type { IncidentRecord } from '../incident/record.js';
import type { Policy } from '../policy.js';
import { assertNever } from '../text.js';
import type { Instant } from '../time.js';
import { customerLetter } from './customer.js';
import type { RenderedMail } from './kinds.js';
import { reminderMail } from './reminder.js';
import { socLetters } from './soc.js';
import { customerSubject, socSubject } from './subject.js';

/** The mail that a duty owes, as the record stands now. A customer's is in the customer's language and time zone. */
export function renderMail(record: IncidentRecord, policy: Policy, topic: MailTopic, now: Instant): RenderedMail {
  const { customer, service } = policy;
  switch (topic.kind) {
    case 'primary':
    case 'secondary':
    case 'isolation-result':
    case 'release-result': {
      const letters = [customerLetter(record, policy, topic, now)];
      return {
        kind: topic.kind,
        to: [...customer.mail.to],
        cc: [...customer.mail.cc],
        subject: customerSubject(record, policy, topic.kind),
        letters,
      };
    }
    case 'reminder':
      return reminderMail(record, policy, now);
    case 'soc-warning':
    case 'soc-breach':
    case 'soc-failure': {
      const letters = socLetters(record, policy, topic, now);
      return {
        kind: topic.kind,
        to: [service.socMailTo],
        cc: [],
        subject: socSubject(record, policy, topic.kind),
        letters,
      };
    }
    default:
      return assertNever(topic);
  }
}
