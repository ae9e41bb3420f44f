/** Every way in which the service says no to a command, with its HTTP status. The names are part of the API. */
export const rejectionStatus = {
  'invalid-input': 422,
  'tenant-mismatch': 422,
  'server-decision-needed': 422,
  'unknown-instructor': 422,
  'call-back-needed': 422,
  'unknown-customer': 404,
  'unknown-incident': 404,
  'unknown-device': 404,
  'unknown-tuning-period': 404,
  'unknown-exclusion': 404,
  'incident-closed': 409,
  'incident-open': 409,
  'incident-stopped': 409,
  'not-triaged': 409,
  'duties-outstanding': 409,
  'device-still-isolated': 409,
  'device-stopped': 409,
  'customer-stopped': 409,
  'tuning-period-over': 409,
  'set-by-file': 409,
  'nothing-to-release': 409,
  'nothing-to-acknowledge': 409,
  'no-primary-escalation': 409,
  'nothing-new': 409,
  'own-request': 403,
  'already-approved': 409,
  'customer-request-needed': 409,
  'exclusion-registered': 409,
  'exclusion-ended': 409,
  'exclusion-stopped': 409,
  'too-many-exclusions': 409,
  'unknown-inquiry': 404,
  'unknown-mail': 404,
  'nothing-to-answer': 409,
  'no-product-support': 409,
  'inquiry-closed': 409,
  'inquiry-ended': 409,
  'inquiry-stopped': 409,
  'no-question-open': 409,
  'mail-settled': 409,
  'mail-stopped': 409,
  'lead-is-linked': 409,
  'is-lead': 409,
  'already-linked': 409,
  'not-linked': 409,
  'idempotency-mismatch': 409,
  stale: 412,
  'revision-required': 428,
  'too-late': 503,
} as const;

export type RejectionCode = keyof typeof rejectionStatus;

export interface InputError {
  path: string;
  message: string;
}

export interface Rejection {
  code: RejectionCode;
  message: string;
  errors: InputError[];
}

export function reject(code: RejectionCode, message: string, errors: InputError[] = []): Rejection {
  return { code, message, errors };
}

export function isRejectionCode(text: string): text is RejectionCode {
  return Object.hasOwn(rejectionStatus, text);
}
