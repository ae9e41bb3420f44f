import type { Payload } from '@temporalio/common';

/*
 * What a failure says, marked for the codec: that somebody has failed must reach the server also where the key for the
 * words is gone. A worker that cannot tell would end.
 */

const MARK = 'failure-part';

export function markFailurePart(payload: Payload): void {
  payload.metadata = { ...payload.metadata, [MARK]: new Uint8Array() };
}

export function isFailurePart({ metadata }: Payload): boolean {
  return metadata?.[MARK] !== undefined;
}
