import { DefaultFailureConverter } from '@temporalio/common';

/** The words of a failure and its stack may hold what an alert says: they are put where the codec encrypts them. */
export const failureConverter = new DefaultFailureConverter({ encodeCommonAttributes: true });
