import type { Verdict } from '../incident/record.js';
import { assertNever } from '../text.js';
import type { Context } from './customer-parts.js';
import type { DeviceState, ToldDevice } from './devices.js';
import { summaryWords, type Ask, type DeviceCounts, type SummaryWords } from './words/summary.js';

/** The summary's first line or two, and what is asked. */
export type Summary = string[];

function groupOf({ is }: DeviceState): keyof DeviceCounts {
  switch (is) {
    case 'isolated':
    case 'releasing':
    case 'held':
    case 'release-failed':
      return 'isolated';
    case 'to-be-requested':
    case 'being-verified':
    case 'requested':
    case 'still-requested':
      return 'underWay';
    case 'cancelling':
      return 'cancelling';
    case 'failed':
      return 'failed';
    case 'released-elsewhere':
    case 'waived-tuning':
    case 'server-left':
    case 'cancelled':
    case 'cancelled-tuning':
    case 'released':
    case 'release-cancelled-request':
    case 'was-not-isolated':
      return 'free';
    default:
      return assertNever(is);
  }
}

function countsOf(told: readonly ToldDevice[]): DeviceCounts {
  const counts: DeviceCounts = { isolated: 0, underWay: 0, cancelling: 0, failed: 0, free: 0 };
  for (const { state } of told) counts[groupOf(state)] += 1;
  return counts;
}

export function wordsOf({ policy }: Context): SummaryWords {
  return summaryWords[policy.customer.language];
}

function joined(context: Context, ...sentences: readonly string[]): string {
  return sentences.filter((sentence) => sentence !== '').join(context.policy.customer.language === 'ja' ? '' : ' ');
}

function askLine(words: SummaryWords, asks: readonly (Ask | false)[]): string {
  const asked = asks.filter((ask) => ask !== false);
  return asked.length === 0 ? words.nothingAsked : words.asks(asked);
}

function hasFailed(told: readonly ToldDevice[]): boolean {
  return told.some(({ state }) => state.is === 'failed');
}

export function isIsolated({ state }: ToldDevice): boolean {
  return state.is === 'isolated';
}

/** How the devices of a verdict stand; nothing of those that an all-clear never concerned. */
function devicesLine(words: SummaryWords, told: readonly ToldDevice[], level: Verdict['level'] | undefined): string {
  if (told.length > 0) return words.devices(countsOf(told));
  if (level === undefined || level === 1) return '';
  return level === 2 ? words.noIsolation : words.noDevice;
}

interface Asking {
  askCustomer?: string | null;
  exclusionProposal?: object | null;
  countermeasures?: string | null;
}

function asksOf({ askCustomer, exclusionProposal, countermeasures }: Asking, told: readonly ToldDevice[]) {
  return [
    (askCustomer ?? null) !== null && 'answer',
    hasFailed(told) && 'disconnect',
    (countermeasures ?? null) !== null && 'countermeasures',
    (exclusionProposal ?? null) !== null && 'proposal',
  ] as const;
}

/** Of a verdict; `isFirst`: it is the first that the customer hears of. */
export function verdictSummary(
  context: Context,
  verdict: Verdict,
  told: readonly ToldDevice[],
  isFirst: boolean,
): Summary {
  const words = wordsOf(context);
  const { level } = verdict;
  const found = (isFirst ? words.found : words.changed)[level];
  const mayRelease = level === 1 && told.some(isIsolated);
  return [
    joined(context, found, isFirst && level === 1 ? words.isolatedBefore : '', devicesLine(words, told, level)),
    askLine(words, [
      mayRelease && 'decide-release',
      ...asksOf({ ...verdict, countermeasures: verdict.texts.countermeasures }, told),
    ]),
  ];
}

/** Of what there is more to say; `isFirst` as above, for a mail that tells what a refused one had told. */
export function escalationSummary(
  context: Context,
  asking: Asking,
  verdict: Verdict | undefined,
  told: readonly ToldDevice[],
  isFirst: boolean,
): Summary {
  const words = wordsOf(context);
  const level = verdict?.level;
  const more = isFirst ? '' : words.more;
  const found = level === undefined ? '' : (isFirst ? words.found : words.levelNow)[level];
  return [joined(context, more, found, devicesLine(words, told, level)), askLine(words, asksOf(asking, told))];
}

export function isolationSummary(context: Context, told: readonly ToldDevice[]): Summary {
  const words = wordsOf(context);
  const complete = told.length > 0 && told.every(isIsolated);
  return [
    complete ? words.allIsolated : joined(context, words.isolationResult, devicesLine(words, told, undefined)),
    joined(
      context,
      askLine(words, [hasFailed(told) && 'disconnect']),
      told.some(isIsolated) ? words.staysIsolated : '',
    ),
  ];
}

export function releaseSummary(context: Context, told: readonly ToldDevice[]): Summary {
  const words = wordsOf(context);
  const complete = told.length > 0 && told.every(({ state }) => state.is === 'released');
  const isHeld = told.some(({ state }) => state.is === 'held' || state.is === 'still-requested');
  const { isolated } = countsOf(told);
  const state = isolated > 0 ? words.stillIsolated(isolated, told.length) : devicesLine(words, told, undefined);
  const first = complete ? words.allReleased : joined(context, words.releaseResult, state);
  return [first, askLine(words, [isHeld && 'instruct-release'])];
}

/** `since`: how long it has been waiting, in words; null where nothing waits any more. */
export function reminderSummary(context: Context, since: string | null, asks: readonly (Ask | false)[]): Summary {
  const words = wordsOf(context);
  return [since === null ? words.nothingWaits : words.waiting(since), askLine(words, asks)];
}
