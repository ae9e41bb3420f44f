import { conversationKey } from './customer-mail/tag.js';
import type { HeldSummary } from './held-mail/record.js';
import type { InquirySummary } from './inquiry/view.js';
import type { IsolationState } from './device/record.js';
import type { ExclusionSummary } from './exclusion/view.js';
import type { IncidentRecord } from './incident/record.js';
import { summaryOf, waitsForAnalyst, type IncidentSummary } from './incident/view.js';
import type { Instant } from './time.js';

/**
 * The search attributes that lists use; SQL visibility allows ten Keywords and three of each other type per namespace.
 * They are readable by everybody who may open the Temporal namespace, whatever the payloads' encryption: ids and words
 * of the process only, no text of an alert, and no name but the assignee's, which is an operator's id. Which holds what, and
 * why: docs/security.md.
 */
type Key<Type extends 'KEYWORD' | 'KEYWORD_LIST' | 'INT' | 'BOOL'> = Readonly<{ name: string; type: Type }>;

/** One attribute and its value; null where there is none. */
export type SearchPair =
  | { key: Key<'KEYWORD'>; value: string | null }
  | { key: Key<'KEYWORD_LIST'>; value: string[] | null }
  | { key: Key<'INT'>; value: number | null }
  | { key: Key<'BOOL'>; value: boolean | null };

type SetPair = SearchPair extends infer Pair
  ? Pair extends { value: infer V }
    ? Pair & { value: NonNullable<V> }
    : never
  : never;

/** A workflow starts with the attributes that have a value. */
export function isSet(pair: SearchPair): pair is SetPair {
  return pair.value !== null;
}

export const searchKeys = {
  customerId: { name: 'CustomerId', type: 'KEYWORD' },
  stage: { name: 'Stage', type: 'KEYWORD' },
  sloState: { name: 'SloState', type: 'KEYWORD' },
  assignee: { name: 'Assignee', type: 'KEYWORD' },
  defenderIncidentId: { name: 'DefenderIncidentId', type: 'KEYWORD' },
  isolation: { name: 'Isolation', type: 'KEYWORD' },
  exclusionId: { name: 'ExclusionId', type: 'KEYWORD' },
  exclusionState: { name: 'ExclusionState', type: 'KEYWORD' },
  conversation: { name: 'Conversation', type: 'KEYWORD' },
  level: { name: 'ThreatLevel', type: 'INT' },
  devices: { name: 'Devices', type: 'KEYWORD_LIST' },
  attention: { name: 'Attention', type: 'KEYWORD_LIST' },
  fileHashes: { name: 'FileHashes', type: 'KEYWORD_LIST' },
  waitsForAnalyst: { name: 'WaitsForAnalyst', type: 'BOOL' },
} as const;

/** Visibility keeps a bounded list per execution; whoever looks for a device beyond it finds it by the incident. */
const MAX_LISTED = 50;

/**
 * A text as it is stored in an attribute and asked for. Defender's own ids stay as they are; visibility does not find
 * quotes and backslashes, or fails on them.
 */
export function searchWord(word: string): string {
  return word.replace(/[^\w.:@+-]/g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function wordOrNull(text: string | null): string | null {
  return text === null ? null : searchWord(text);
}

function orNull(list: readonly string[]): string[] | null {
  return list.length === 0 ? null : list.slice(0, MAX_LISTED).map(searchWord);
}

export function incidentSearch({ summary, fileHashes }: Pick<IncidentMemo, 'summary' | 'fileHashes'>): SearchPair[] {
  return [
    { key: searchKeys.customerId, value: summary.customerId },
    { key: searchKeys.stage, value: summary.stage },
    { key: searchKeys.sloState, value: summary.slo.state },
    { key: searchKeys.assignee, value: wordOrNull(summary.assignee) },
    { key: searchKeys.defenderIncidentId, value: wordOrNull(summary.defenderIncidentId) },
    { key: searchKeys.level, value: summary.level },
    { key: searchKeys.devices, value: orNull(summary.devices.map(({ machineId }) => machineId)) },
    { key: searchKeys.attention, value: orNull(summary.attention) },
    { key: searchKeys.waitsForAnalyst, value: waitsForAnalyst(summary) },
    { key: searchKeys.exclusionId, value: wordOrNull(summary.exclusionId ?? null) },
    { key: searchKeys.conversation, value: conversationKey(summary.id) },
    // Absent in records from before they were kept.
    ...(fileHashes === undefined ? [] : [{ key: searchKeys.fileHashes, value: orNull(fileHashes) }]),
  ];
}

export function deviceSearch(device: {
  customerId: string;
  machineId: string;
  isolation: IsolationState;
}): SearchPair[] {
  return [
    { key: searchKeys.customerId, value: device.customerId },
    { key: searchKeys.devices, value: [searchWord(device.machineId)] },
    { key: searchKeys.isolation, value: device.isolation },
  ];
}

export function exclusionSearch({ customerId, state, attention }: ExclusionSummary): SearchPair[] {
  return [
    { key: searchKeys.customerId, value: customerId },
    { key: searchKeys.exclusionState, value: state },
    { key: searchKeys.attention, value: orNull(attention) },
  ];
}

export function heldSearch({ customerId, state }: HeldSummary): SearchPair[] {
  return [
    { key: searchKeys.customerId, value: customerId },
    { key: searchKeys.stage, value: state },
  ];
}

export function inquirySearch({ id, customerId, state, assignee, attention }: InquirySummary): SearchPair[] {
  return [
    { key: searchKeys.customerId, value: customerId },
    { key: searchKeys.stage, value: state },
    { key: searchKeys.assignee, value: wordOrNull(assignee) },
    { key: searchKeys.attention, value: orNull(attention) },
    { key: searchKeys.conversation, value: conversationKey(id) },
  ];
}

/** What an incident's workflow shows without being asked. */
export interface IncidentMemo extends Record<string, unknown> {
  summary: IncidentSummary;
  /** Of the alert's version on record, so that a repeated delivery need not wake the incident. */
  fingerprint: string;
  /** Of the files that the alert is about, by which alerts of one attack are found. */
  fileHashes?: string[];
}

export function incidentMemo(record: IncidentRecord, now: Instant): IncidentMemo {
  const { fingerprint, alert } = record;
  const { fileHashes } = alert;
  return { summary: summaryOf(record, now), fingerprint, ...(fileHashes === undefined ? {} : { fileHashes }) };
}

/** Only the time of the last change differs: nothing that a list would have to show again. */
export function memoDigest({ summary, fingerprint }: IncidentMemo): string {
  const { updatedAt: _, ...shown } = summary;
  return JSON.stringify([shown, fingerprint]);
}
