import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';

/** Stands for a payload that nobody can decode: what an unknown tool or a slip of the keyboard may send as a Signal. */
interface Unreadable {
  unreadable: true;
  problem: string;
}

/**
 * Temporal's own converter, which never throws on what it is given: a Signal with a payload that is no JSON would
 * otherwise fail the workflow's task for ever. The handlers refuse and record it.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: (payload) => {
    try {
      return defaultPayloadConverter.fromPayload(payload);
    } catch (error) {
      const unreadable: Unreadable = { unreadable: true, problem: error instanceof Error ? error.message : 'unknown' };
      return defaultPayloadConverter.fromPayload(defaultPayloadConverter.toPayload(unreadable));
    }
  },
};
