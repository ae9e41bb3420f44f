import type { ChangedElsewhere, Hold } from '../device/record.js';
import { whenIn } from '../templates/when.js';
import { bilingual, oneLine, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import { holdOf } from './duties.js';
import type { DeviceEntry, IncidentRecord } from './record.js';

/*
 * What somebody has done past this service to a device that the incident holds isolated. Nothing is undone: it is told,
 * and waits for an analyst who accepts it.
 */

/** Does Defender say that the device is on the network, although the incident holds it? Since when, by whom? */
export function releasedElsewhere(device: DeviceEntry): ChangedElsewhere | undefined {
  const change = holdOf(device) === undefined ? undefined : device.report?.changedElsewhere;
  return change?.isolation === 'released' ? change : undefined;
}

/** The hold, where it ended because an analyst has accepted that the device was released elsewhere. */
export function endedElsewhere(device: DeviceEntry): Hold | undefined {
  const hold = holdOf(device);
  return hold?.state === 'released' && hold.reason === 'released-elsewhere' ? hold : undefined;
}

/** The change that the incident has heard of between the two, if any. */
export function changeHeard(
  before: DeviceEntry | undefined,
  after: DeviceEntry | undefined,
): ChangedElsewhere | undefined {
  const heard = after?.changeHeardAt !== undefined && after.changeHeardAt !== before?.changeHeardAt;
  return heard ? after.report?.changedElsewhere : undefined;
}

function times(record: IncidentRecord, at: Instant): Bilingual {
  const timeZone = record.policy?.customer.timeZone ?? 'UTC';
  return bilingual(whenIn('en', timeZone)(at), whenIn('ja', timeZone)(at));
}

export function changeWords(record: IncidentRecord, device: DeviceEntry, change: ChangedElsewhere): Bilingual {
  const { name } = device;
  const at = times(record, change.at);
  const by = change.by === null ? null : oneLine(change.by, 100);
  const en = by === null ? '' : ` by ${by}`;
  const ja = by === null ? '' : ` (操作者: ${by})`;
  return change.isolation === 'released'
    ? bilingual(
        `${name} was released from isolation outside this service${en}, ${at.en}: it is on the network. It is not isolated again by itself.`,
        `${name} の隔離が ${at.ja} に本サービス以外の操作により解除されました${ja}。端末はネットワークに接続されています。自動的に再度隔離することはありません。`,
      )
    : bilingual(
        `${name} was isolated again outside this service${en}, ${at.en}.`,
        `${name} は ${at.ja} に本サービス以外の操作により再度隔離されました${ja}。`,
      );
}

const ACCEPT_OR_ISOLATE = bilingual(
  'Clear up with the customer who did it. Then acknowledge it for the device, giving the reason, or have it isolated again in Defender’s portal.',
  '操作の経緯をお客様に確認してください。そのうえで、理由を添えて端末の状態を承認 (acknowledge) するか、Defender の管理画面で再度隔離してください。',
);

/** What the SOC is told of a change, with what it can do about it. */
export function changeNotice(record: IncidentRecord, device: DeviceEntry, change: ChangedElsewhere): Bilingual {
  const words = changeWords(record, device, change);
  if (change.isolation === 'isolated') return words;
  return bilingual(`${words.en} ${ACCEPT_OR_ISOLATE.en}`, `${words.ja}${ACCEPT_OR_ISOLATE.ja}`);
}
