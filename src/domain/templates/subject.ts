import type { IncidentRecord } from '../incident/record.js';
import type { Policy } from '../policy.js';
import { bilingual } from '../text.js';
import { untagged } from '../customer-mail/tag.js';
import { line } from './clean.js';
import type { CustomerMailKind, MailKind } from './kinds.js';
import { customerWords } from './words/index.js';

const MAX_SUBJECT_LENGTH = 150;
const MAX_TITLE_LENGTH = 85;
const MAX_DEVICE_LENGTH = 45;

function alertDevice(record: IncidentRecord): string {
  const { computerDnsName, machineId } = record.alert;
  const entry = record.devices.find((device) => device.namedByAlert && device.machineId === machineId);
  return line(computerDnsName ?? entry?.name ?? '', MAX_DEVICE_LENGTH);
}

/**
 * One subject for the whole thread, because mail programs take a thread apart when it changes: hence the alert and its
 * device, which stay, and neither the level nor the devices of a verdict, which do not.
 */
export function customerSubject(record: IncidentRecord, policy: Policy, kind: CustomerMailKind): string {
  const { service } = customerWords[policy.customer.language];
  const device = alertDevice(record);
  const about = `[${service}] ${line(record.alert.title, MAX_TITLE_LENGTH)}${device === '' ? '' : ` / ${device}`}`;
  return line(kind === 'primary' ? about : `Re: ${about}`, MAX_SUBJECT_LENGTH);
}

const SOC_SUBJECTS = {
  'soc-warning': bilingual('Warning', '警告'),
  'soc-breach': bilingual('Target missed', '目標時間超過'),
  'soc-failure': bilingual('Failure', '対応失敗'),
};

export function socSubject(record: IncidentRecord, policy: Policy, kind: Exclude<MailKind, CustomerMailKind>): string {
  const { ja, en } = SOC_SUBJECTS[kind];
  const customer = line(policy.customer.name, 40);
  return line(`[見守り SOC] ${ja} / ${en}: ${customer}: ${line(record.alert.title, 80)}`, MAX_SUBJECT_LENGTH);
}

/** Of the answer to a customer's mail: one `Re:`, and without the tag, which is put behind it when the mail is sent. */
export function replySubject(subject: string): string {
  const bare = untagged(line(subject, MAX_SUBJECT_LENGTH)).replace(
    /^(?:(?:re|aw|sv|返信|回复)\s*(?:\[\d+\])?\s*[::]\s*)+/iu,
    '',
  );
  return line(`Re: ${bare}`, MAX_SUBJECT_LENGTH);
}
