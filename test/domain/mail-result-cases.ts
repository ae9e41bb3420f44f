import { asked, at, device, effect, isolated, ordered, recordOf, report, target, verdict } from './mail-records.js';
import { HEAD, type Case } from './mail-reading.js';

export const resultCases: Case[] = [
  {
    name: 'isolation result, all done',
    record: recordOf({ devices: [isolated] }),
    topic: { kind: 'isolation-result', wave: 0 },
    ja: [
      ...HEAD,
      /隔離が完了しました/,
      /12:10 \(JST\/Asia\/Tokyo\) からネットワーク隔離中/,
      /ご指示いただける方: 佐藤 様/,
    ],
    en: [...HEAD, /isolation .* is complete/, /since 24 November 2026, 12:10/],
  },
  {
    name: 'isolation result, one timed out',
    record: recordOf({
      devices: [
        isolated,
        device({
          machineId: 'm2',
          name: 'pc-2',
          asked,
          report: report({ state: 'failed', reason: 'isolation-timeout' }),
        }),
      ],
    }),
    topic: { kind: 'isolation-result', wave: 0 },
    ja: [/pc-2: ネットワーク隔離ができませんでした。理由: .*3 日以内/, /結果をお知らせ/],
    en: [/pc-2: The device could not be isolated\. Reason: .*3 days/],
    not: [/隔離が完了しました/, /is complete/],
  },
  {
    name: 'isolation result, cancelled by a tuning period',
    record: recordOf({
      devices: [
        device({
          asked: { ...asked, want: 'withdraw' },
          target: { ...target, ended: { at: at(3), reason: 'tuning-period' } },
          report: report({ state: 'cancelled' }),
        }),
      ],
    }),
    topic: { kind: 'isolation-result', wave: 0 },
    ja: [/チューニング期間 \(2026年12月1日 00:00 \(JST\/Asia\/Tokyo\) まで\) に入ったため、隔離要求を取り消しました/],
    en: [/tuning period began \(until 1 December 2026, 00:00 \(JST\/Asia\/Tokyo\)\)/],
    not: [/隔離中/, /Isolated from/],
  },
  {
    name: 'release result, released',
    record: ordered({ state: 'released' }),
    topic: { kind: 'release-result', order: 0 },
    ja: [
      ...HEAD,
      /14:30 \(JST\/Asia\/Tokyo\) にネットワーク隔離を解除しました/,
      /ご指示いただいた方: 佐藤/,
      /14:00 \(JST/,
      /お電話/,
      /折り返し.*14:10/,
    ],
    en: [
      ...HEAD,
      /Released from network isolation at 24 November 2026, 14:30/,
      /Instructed by: 佐藤/,
      /Received by: phone/,
      /calling back at: .*14:10/,
    ],
    not: [/sato-id/],
  },
  {
    name: 'release result, kept for another incident of this customer',
    record: ordered({ state: 'held' }, { heldBy: ['incident:acme:other-1', 'incident:rival:secret-1'] }),
    topic: { kind: 'release-result', order: 0 },
    ja: [/別のインシデント \(incident:acme:other-1\).*まだ隔離されています/],
    en: [/Still isolated, because another incident of yours \(incident:acme:other-1\)/],
    not: [/rival/, /解除しました/, /have been released/],
  },
  {
    name: 'release result, given up while the isolation is still requested for another incident',
    record: ordered({ state: 'held' }, { isolation: 'requested', heldBy: ['incident:acme:other-1'] }, false),
    topic: { kind: 'release-result', order: 0 },
    ja: [/別のインシデント \(incident:acme:other-1\) で隔離が必要なため、隔離の要求を継続しています/],
    en: [/still being requested, because another incident of yours \(incident:acme:other-1\)/],
    not: [/まだ隔離されています/, /still isolated/i],
  },
  {
    name: 'release result, failed',
    record: ordered({ state: 'release-failed', reason: 'release-timeout' }),
    topic: { kind: 'release-result', order: 0 },
    ja: [/解除できませんでした。引き続き隔離されています。理由: /],
    en: [/could not be released and is still isolated\. Reason: /],
    not: [/解除しました/, /have been released/],
  },
  {
    name: 'release result, request cancelled before the device was isolated',
    record: ordered({ state: 'cancelled' }, {}, false),
    topic: { kind: 'release-result', order: 0 },
    ja: [/隔離される前に要求を取り消しました/],
    en: [/cancelled before the device was isolated/],
    not: [/隔離を解除しました/, /Released from/],
  },
  {
    name: 'reminder, of a question and of a device',
    record: recordOf({
      verdicts: [verdict({ askCustomer: 'QUESTION-TEXT' })],
      questions: [{ text: 'QUESTION-TEXT', askedAt: at(3), answer: null }],
      devices: [{ ...isolated, report: report({ state: 'isolated' }, { isolation: 'isolated' }) }],
      effects: {
        'mail:primary': effect({ verdict: 0 }),
        'mail:isolation-result:v0': effect({ startedAt: at(3, 11), settledAt: at(3, 11) }),
      },
    }),
    topic: { kind: 'reminder', index: 0 },
    ja: [...HEAD, /お待ちしております/, /QUESTION-TEXT/],
    en: [...HEAD, /waiting for your answer or instruction/, /QUESTION-TEXT/],
    not: [/ANALYSIS-TEXT/],
  },
];
