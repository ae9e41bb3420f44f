import { NOW, at, breached, device, effect, recordOf, target } from './mail-records.js';
import { HEAD, type Case } from './mail-reading.js';

const SOC_HEAD = [
  ...HEAD,
  /株式会社アクメ \(acme\)/,
  /2026年11月24日 11:00 \(JST\/Asia\/Tokyo\) = 2026-11-24 02:00 UTC/,
  /24 November 2026, 11:00/,
];

/** Every mail to the SOC holds both languages: one list of what it says. */
export const socCases: Omit<Case, 'en'>[] = [
  {
    name: 'warning of a threshold',
    record: recordOf({ verdicts: [], devices: [], warnings: [{ at: NOW, percent: 75, dueAt: at(5) }] }),
    topic: { kind: 'soc-warning', about: { warning: 0 } },
    ja: [
      ...SOC_HEAD,
      /75 %/,
      /14:00 \(JST\/Asia\/Tokyo\) = 2026-11-24 05:00 UTC/,
      /残り時間: 1時間0分/,
      /Time left: 1 h 0 min/,
      /脅威レベル判定: 未実施/,
      /Threat level: to be judged/,
    ],
  },
  {
    name: 'warning after the verdict names what is owed',
    record: recordOf({ warnings: [{ at: NOW, percent: 50, dueAt: at(5) }] }),
    topic: { kind: 'soc-warning', about: { warning: 0 } },
    ja: [
      /pc-1\.acme\.local のネットワーク隔離: 実施中/,
      /Network isolation of pc-1\.acme\.local: under way/,
      /一次エスカレーション: 未実施/,
    ],
  },
  {
    name: 'untriaged',
    record: recordOf({ verdicts: [], untriagedWarnedAt: NOW }),
    topic: { kind: 'soc-warning', about: 'untriaged' },
    ja: [...SOC_HEAD, /脅威レベルが判定されていない/, /経過時間: 2時間0分/, /waits for its threat level/],
  },
  {
    name: 'notice',
    record: recordOf({
      socNotices: [{ at: NOW, about: 'rejected-signal', text: { en: 'NOTICE-EN', ja: 'NOTICE-JA' } }],
    }),
    topic: { kind: 'soc-warning', about: { notice: 0 } },
    ja: [...SOC_HEAD, /NOTICE-JA[\s\S]*NOTICE-EN/],
  },
  {
    name: 'breach',
    record: recordOf({ breaches: [breached] }),
    topic: { kind: 'soc-breach', breach: 0 },
    ja: [
      ...SOC_HEAD,
      /レベル3/,
      /Level 3/,
      /has not confirmed the isolation yet \(isolation-pending\)/,
      /のネットワーク隔離: 実施中/,
    ],
  },
  {
    name: 'breach before a verdict',
    record: recordOf({ verdicts: [], devices: [], breaches: [{ ...breached, level: null, cause: 'no-verdict' }] }),
    topic: { kind: 'soc-breach', breach: 0 },
    ja: [/未判定/, /not judged yet/, /no threat level had been judged/],
  },
  {
    name: 'failed isolation',
    record: recordOf({
      devices: [device({ target: { ...target, judged: { at: at(3), refused: 'device-mismatch' } } })],
    }),
    topic: { kind: 'soc-failure', dutyId: 'isolate:m1' },
    ja: [
      ...SOC_HEAD,
      /pc-1\.acme\.local のネットワーク隔離/,
      /一致しません/,
      /正しい端末を指定して/,
      /naming the right device/,
    ],
  },
  {
    name: 'failed mail',
    record: recordOf({
      effects: { 'mail:primary': effect({ status: 'failed', reason: 'mail-rejected', verdict: 0 }) },
    }),
    topic: { kind: 'soc-failure', dutyId: 'mail:primary' },
    ja: [/一次エスカレーション/, /受信を拒否/, /別の手段で連絡/, /Repeat the same verdict/],
  },
  {
    name: 'a failure that is no longer on the record',
    record: recordOf({ devices: [] }),
    topic: { kind: 'soc-failure', dutyId: 'release:m9' },
    ja: [/m9 の隔離解除/, /Release of m9/],
  },
];
