import type { Level } from '../../commands.js';
import type { Language } from '../../text.js';

/** How many of the devices that a mail is about stand how. */
export interface DeviceCounts {
  isolated: number;
  /** Being looked up or requested: nobody can say yet that it is isolated. */
  underWay: number;
  cancelling: number;
  failed: number;
  /** Not isolated, for a reason that the mail gives. */
  free: number;
}

/** What the customer is asked to do. */
export type Ask = 'answer' | 'decide-release' | 'instruct-release' | 'disconnect' | 'countermeasures' | 'proposal';

/** The first lines of a customer's mail: what has been found, how things stand, what is asked. In one language. */
export interface SummaryWords {
  found: Record<Level, string>;
  changed: Record<Level, string>;
  /** Of a device that was isolated before the all-clear. */
  isolatedBefore: string;
  more: string;
  levelNow: Record<Level, string>;
  linked: string;
  allIsolated: string;
  isolationResult: string;
  allReleased: string;
  releaseResult: string;
  stillIsolated: (isolated: number, of: number) => string;
  waiting: (since: string) => string;
  nothingWaits: string;
  devices: (counts: DeviceCounts) => string;
  noIsolation: string;
  noDevice: string;
  asks: (asks: readonly Ask[]) => string;
  nothingAsked: string;
  staysIsolated: string;
}

function total({ isolated, underWay, cancelling, failed, free }: DeviceCounts): number {
  return isolated + underWay + cancelling + failed + free;
}

function devicesJa(counts: DeviceCounts): string {
  const { isolated, underWay, cancelling, failed, free } = counts;
  switch (total(counts)) {
    case isolated:
      return `対象の端末 (${isolated}台) はネットワーク隔離済みです。`;
    case underWay:
      return `対象の端末 (${underWay}台) のネットワーク隔離に向けて対応中です (完了は未確認です)。`;
    case cancelling:
      return `対象の端末 (${cancelling}台) への隔離要求の取り消しを進めています。`;
    case failed:
      return `対象の端末 (${failed}台) は隔離できておらず、ネットワークに接続されたままの可能性があります。`;
    case free:
      return `対象の端末 (${free}台) はネットワーク隔離されていません。`;
    default: {
      const parts = [
        isolated === 0 ? '' : `隔離済み ${isolated}台`,
        underWay === 0 ? '' : `隔離に向けて対応中 ${underWay}台`,
        cancelling === 0 ? '' : `隔離要求の取り消しを進めている端末 ${cancelling}台`,
        failed === 0 ? '' : `隔離できなかった端末 ${failed}台`,
        free === 0 ? '' : `隔離されていない端末 ${free}台`,
      ];
      return `対象の端末 ${total(counts)}台の状況: ${parts.filter((part) => part !== '').join('、')}。`;
    }
  }
}

function devicesEn(counts: DeviceCounts): string {
  const { isolated, underWay, cancelling, failed, free } = counts;
  const all = total(counts);
  const [the, is] = all === 1 ? ['The device concerned', 'is'] : [`All ${all} devices concerned`, 'are'];
  switch (all) {
    case isolated:
      return `${the} ${is} isolated from the network.`;
    case underWay:
      return `Network isolation of the ${all === 1 ? 'device' : `${all} devices`} concerned is under way and not confirmed yet.`;
    case cancelling:
      return `The request to isolate the ${all === 1 ? 'device' : `${all} devices`} concerned is being cancelled.`;
    case failed:
      return `${the} could not be isolated and may still be connected to the network.`;
    case free:
      return `${all === 1 ? 'The device concerned is' : `The ${all} devices concerned are`} not isolated.`;
    default: {
      const parts = [
        isolated === 0 ? '' : `${isolated} isolated`,
        underWay === 0 ? '' : `${underWay} with isolation under way`,
        cancelling === 0 ? '' : `${cancelling} whose isolation request is being cancelled`,
        failed === 0 ? '' : `${failed} that could not be isolated`,
        free === 0 ? '' : `${free} not isolated`,
      ];
      return `Of the ${all} devices concerned: ${parts.filter((part) => part !== '').join(', ')}.`;
    }
  }
}

const ASKS_JA: Record<Ask, string> = {
  answer: 'ご確認事項へのご回答',
  'decide-release': '隔離解除の可否のご指示',
  'instruct-release': '隔離解除についてのご指示',
  disconnect: '隔離できなかった端末のネットワークからの切り離し',
  countermeasures: '推奨対策案の実施',
  proposal: 'ホワイトリスト追加登録のご検討',
};

const ASKS_EN: Record<Ask, string> = {
  answer: 'answer our question',
  'decide-release': 'tell us whether we may release the isolation',
  'instruct-release': 'tell us whether to release the isolation',
  disconnect: 'disconnect from the network what could not be isolated',
  countermeasures: 'carry out the recommended countermeasures',
  proposal: 'consider the proposed addition to the whitelist',
};

function listEn(items: readonly string[]): string {
  const last = items.at(-1) ?? '';
  return items.length < 2 ? last : `${items.slice(0, -1).join(', ')}, and ${last}`;
}

const ja: SummaryWords = {
  found: {
    4: 'Microsoft Defender for Endpoint のアラートを分析した結果、複数の端末に感染が広がっていると強く疑われます (脅威レベル4)。',
    3: 'Microsoft Defender for Endpoint のアラートを分析した結果、1台の端末でマルウェアの感染が強く疑われます (脅威レベル3)。',
    2: 'Microsoft Defender for Endpoint のアラートを分析した結果、SOC では安全と判断できませんでした (脅威レベル2)。',
    1: 'Microsoft Defender for Endpoint のアラートを分析した結果、問題なしと判断しました (脅威レベル1)。',
  },
  changed: {
    4: '先にご連絡しました件の判定を更新しました。複数の端末に感染が広がっていると強く疑われます (脅威レベル4)。',
    3: '先にご連絡しました件の判定を更新しました。1台の端末でマルウェアの感染が強く疑われます (脅威レベル3)。',
    2: '先にご連絡しました件の判定を更新しました。SOC では安全と判断できない状況です (脅威レベル2)。',
    1: '先にご連絡しました件は、分析の結果、問題なしと判断しました (脅威レベル1)。',
  },
  isolatedBefore: '判断に先立って端末のネットワーク隔離を実施していたため、お知らせいたします。',
  more: '先にご連絡しました件について、追加の情報をお知らせいたします。',
  levelNow: {
    4: '現在の判定は、複数の端末への感染拡大が強く疑われる状況です (脅威レベル4)。',
    3: '現在の判定は、1台の端末でマルウェアの感染が強く疑われる状況です (脅威レベル3)。',
    2: '現在の判定は、SOC では安全と判断できない状況です (脅威レベル2)。',
    1: '現在の判定は、問題なしです (脅威レベル1)。',
  },
  linked: '先にご連絡しました件に関連する別のアラートについて、同じスレッドにてお知らせいたします。',
  allIsolated: '対象の端末のネットワーク隔離が完了しました。',
  isolationResult: '対象の端末のネットワーク隔離について、結果をお知らせいたします。',
  allReleased: 'ご指示に基づき、対象の端末のネットワーク隔離を解除しました。',
  releaseResult: 'ご指示いただいた隔離解除について、結果をお知らせいたします。',
  stillIsolated: (isolated, of) => `対象の端末 ${of}台のうち ${isolated}台は、引き続きネットワーク隔離されています。`,
  waiting: (since) => `先にご連絡しました件について、${since} より、お客様のご回答またはご指示をお待ちしております。`,
  nothingWaits: '先にご連絡しました件について、現在、お客様のご回答・ご指示をお待ちしている事項はございません。',
  devices: devicesJa,
  noIsolation: '端末のネットワーク隔離は実施していません。',
  noDevice: '対象の端末が特定できていないため、ネットワーク隔離は実施していません。',
  asks: (asks) => `お客様へのお願い: ${asks.map((ask) => ASKS_JA[ask]).join('、')} (詳しくは下記をご覧ください)。`,
  nothingAsked: '現時点で、お客様に行っていただくことはございません。',
  staysIsolated: '隔離は、お客様から解除のご指示をいただくまで継続いたします。',
};

const en: SummaryWords = {
  found: {
    4: 'We have analysed an alert of Microsoft Defender for Endpoint: an infection is strongly suspected to be spreading over several devices (threat level 4).',
    3: 'We have analysed an alert of Microsoft Defender for Endpoint: malware is strongly suspected on one device (threat level 3).',
    2: 'We have analysed an alert of Microsoft Defender for Endpoint and cannot call it safe (threat level 2).',
    1: 'We have analysed an alert of Microsoft Defender for Endpoint and found no problem (threat level 1).',
  },
  changed: {
    4: 'We have reassessed the incident that we informed you of: an infection is strongly suspected to be spreading over several devices (threat level 4).',
    3: 'We have reassessed the incident that we informed you of: malware is strongly suspected on one device (threat level 3).',
    2: 'We have reassessed the incident that we informed you of: we cannot call it safe (threat level 2).',
    1: 'We have completed our analysis of the incident that we informed you of and found no problem (threat level 1).',
  },
  isolatedBefore: 'We are writing because a device had been isolated from the network before this conclusion.',
  more: 'There is further information on the incident that we informed you of.',
  levelNow: {
    4: 'An infection is still strongly suspected to be spreading over several devices (threat level 4).',
    3: 'Malware is still strongly suspected on one device (threat level 3).',
    2: 'We still cannot call it safe (threat level 2).',
    1: 'We have found no problem (threat level 1).',
  },
  linked:
    'A further alert belongs together with the incident that we informed you of. We inform you of it in the same conversation.',
  allIsolated: 'The network isolation of the device or devices concerned is complete.',
  isolationResult: 'Please find below the result of the network isolation.',
  allReleased: 'As you instructed, the device or devices concerned have been released from network isolation.',
  releaseResult: 'Please find below the result of the release that you instructed.',
  stillIsolated: (isolated, of) =>
    of === 1
      ? 'The device is still isolated from the network.'
      : `${isolated} of the ${of} devices ${isolated === 1 ? 'is' : 'are'} still isolated from the network.`,
  waiting: (since) =>
    `The incident that we informed you of has been waiting for your answer or instruction since ${since}.`,
  nothingWaits: 'Nothing in the incident that we informed you of waits for your answer or instruction at present.',
  devices: devicesEn,
  noIsolation: 'No device has been isolated.',
  noDevice: 'No device has been isolated, because the device concerned is not known.',
  asks: (asks) => `Please ${listEn(asks.map((ask) => ASKS_EN[ask]))}. The details are below.`,
  nothingAsked: 'You need not do anything at present.',
  staysIsolated: 'The isolation stays in place until you instruct us to release it.',
};

export const summaryWords: Readonly<Record<Language, SummaryWords>> = { ja, en };
