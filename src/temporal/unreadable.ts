import { defaultPayloadConverter, type Payload } from '@temporalio/common';

/**
 * Stands in the place of what cannot be read, such as what an unknown tool or a slip of the keyboard sends as a Signal: to
 * throw would fail the workflow's task for ever. The handlers refuse and record it.
 */
export function unreadable(problem: string): Payload {
  return defaultPayloadConverter.toPayload({ unreadable: true, problem });
}
