import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common';
import { unreadable } from './unreadable.js';

/** Temporal's own converter, which never throws on what it is given. */
export const payloadConverter: PayloadConverter = {
  toPayload: (value) => defaultPayloadConverter.toPayload(value),
  fromPayload: (payload) => {
    try {
      return defaultPayloadConverter.fromPayload(payload);
    } catch (error) {
      return defaultPayloadConverter.fromPayload(unreadable(error instanceof Error ? error.message : 'unknown'));
    }
  },
};
