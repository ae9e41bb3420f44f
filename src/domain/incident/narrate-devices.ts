import type { Acknowledgement, DeviceReport, HoldState } from '../device/record.js';
import { reasonWords } from '../reasons.js';
import { bilingual, clip, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import { holdOf } from './duties.js';
import { changeHeard, changeWords, endedElsewhere, releasedElsewhere } from './elsewhere.js';
import type { DeviceEntry, IncidentRecord, TimelineEntry, TimelineType } from './record.js';
import { entriesAt, SHORT } from './timeline-entry.js';

/* What the timeline says of a device: its isolation and release, and what somebody has done to it past this service. */

export function namesOf(record: IncidentRecord, machineIds: readonly string[]): Bilingual {
  const names = machineIds.map((machineId) => nameOf(record, machineId));
  return names.length === 0 ? bilingual('no device', '端末 (該当なし)') : bilingual(names.join(', '), names.join('、'));
}

export function nameOf(record: IncidentRecord, machineId: string): string {
  return record.devices.find((device) => device.machineId === machineId)?.name ?? machineId;
}

const HOLD_WORDS: Record<HoldState, { type: TimelineType; text: (name: string, why: Bilingual | null) => Bilingual }> =
  {
    wanted: {
      type: 'isolation',
      text: (name) =>
        bilingual(
          `Isolation of ${name} requested from Defender.`,
          `${name} のネットワーク隔離を Defender に要求しました。`,
        ),
    },
    isolated: {
      type: 'isolation',
      text: (name) =>
        bilingual(`${name} is isolated: Defender has confirmed it.`, `${name} の隔離を Defender が確認しました。`),
    },
    failed: {
      type: 'isolation',
      text: (name, why) =>
        bilingual(
          `${name} could not be isolated: ${why?.en ?? ''}.`,
          `${name} を隔離できませんでした: ${why?.ja ?? ''}。`,
        ),
    },
    cancelled: {
      type: 'isolation',
      text: (name, why) =>
        bilingual(
          `Isolation of ${name} was called off before it happened${why === null ? '' : `: ${why.en}`}.`,
          `${name} の隔離は実施前に取り消されました${why === null ? '' : `: ${why.ja}`}。`,
        ),
    },
    held: {
      type: 'release',
      text: (name) =>
        bilingual(
          `${name} stays isolated: another incident holds it.`,
          `${name} は別のインシデントが隔離を必要としているため、隔離を継続します。`,
        ),
    },
    releasing: {
      type: 'release',
      text: (name) =>
        bilingual(`Release of ${name} requested from Defender.`, `${name} の隔離解除を Defender に要求しました。`),
    },
    released: {
      type: 'release',
      text: (name) =>
        bilingual(`${name} is released: Defender has confirmed it.`, `${name} の隔離解除を Defender が確認しました。`),
    },
    'release-failed': {
      type: 'release',
      text: (name, why) =>
        bilingual(
          `${name} could not be released: ${why?.en ?? ''}.`,
          `${name} の隔離を解除できませんでした: ${why?.ja ?? ''}。`,
        ),
    },
  };

/** What a device has newly reported; nothing where the report was not taken. */
export function narrateDevice(
  before: IncidentRecord,
  report: DeviceReport,
  after: IncidentRecord,
  at: Instant,
): TimelineEntry[] {
  const { entry, trouble } = entriesAt(at);
  const device = after.devices.find(({ machineId }) => machineId === report.machineId);
  const earlier = before.devices.find(({ machineId }) => machineId === report.machineId);
  if (device?.report !== report) return [];
  const told = earlier === undefined ? undefined : holdOf(earlier)?.state;
  const { hold } = report;
  const known = new Set(earlier?.report?.troubles?.map(({ reason }) => reason));
  const troubles = (report.troubles ?? [])
    .filter(({ reason }) => !known.has(reason))
    .flatMap(({ reason, why }) =>
      trouble(hold.want === 'release' ? 'release' : 'isolation', reason, why, { machineId: report.machineId }),
    );
  const elsewhere = narrateElsewhere(after, earlier, device, at);
  if (told === hold.state) return [...elsewhere, ...troubles];
  const accepted = endedElsewhere(device)?.acknowledged;
  if (accepted !== undefined) return [...narrateAcceptance(device, accepted, at), ...troubles];
  const { type, text } = HOLD_WORDS[hold.state];
  const ordered: TimelineEntry[] =
    hold.order !== null && earlier?.order !== device.order
      ? entry(
          'instruction',
          bilingual(
            `The customer ordered the release of device ${device.name} (${hold.order.instructorName}, by ${hold.order.instruction.channel}).`,
            `お客様 (${hold.order.instructorName}) から端末 ${device.name} の隔離解除の指示がありました (${hold.order.instruction.channel})。`,
          ),
          { machineIds: [report.machineId], instruction: hold.order.instruction },
          hold.order.actor,
        )
      : [];
  return [
    ...ordered,
    ...entry(type, text(device.name, hold.reason === null ? null : reasonWords(hold.reason)), {
      machineId: report.machineId,
      state: hold.state,
      reason: hold.reason,
      heldBy: report.heldBy,
      at: hold.at,
      actionId: report.action?.id,
    }),
    ...elsewhere,
    ...troubles,
  ];
}

/** A change past this service, and its end where the device is isolated again for somebody here. */
function narrateElsewhere(
  record: IncidentRecord,
  before: DeviceEntry | undefined,
  device: DeviceEntry,
  at: Instant,
): TimelineEntry[] {
  const { machineId, name, report } = device;
  const entry = (actor: string, text: Bilingual, data: Record<string, unknown>): TimelineEntry[] => [
    { at, actor, type: 'isolation', text, data: { machineId, actionId: report?.action?.id, ...data } },
  ];
  const change = changeHeard(before, device);
  if (change !== undefined) {
    const { isolation, by, seenAt, at: changedAt } = change;
    return entry('defender', changeWords(record, device, change), {
      reason: 'isolation-changed-elsewhere',
      isolation,
      at: changedAt,
      seenAt,
      by,
    });
  }
  const wasFree = before !== undefined && releasedElsewhere(before) !== undefined;
  if (!wasFree || releasedElsewhere(device) !== undefined || holdOf(device)?.state !== 'isolated') return [];
  const text = bilingual(
    `${name} is isolated again: Defender has confirmed it.`,
    `${name} が再度隔離されたことを Defender が確認しました。`,
  );
  return entry('mimamori', text, { isolation: 'isolated', at: report?.isolatedAt });
}

function narrateAcceptance(
  { machineId, name, report }: DeviceEntry,
  { actor, reason, at: acknowledgedAt }: Acknowledgement,
  at: Instant,
): TimelineEntry[] {
  const words = clip(reason, SHORT);
  return [
    {
      at,
      actor,
      type: 'release',
      text: bilingual(
        `The release of ${name} outside this service was acknowledged: ${words}`,
        `本サービス以外の操作による ${name} の隔離解除を承認しました: ${words}`,
      ),
      data: {
        machineId,
        state: 'released',
        reason: 'released-elsewhere',
        at: report?.hold.at,
        acknowledgedAt,
        words,
      },
    },
  ];
}
