export interface PhoneErrorDetails {
  /** `permanent`: the same call again brings the same answer (a bad number, wrong credentials, a closed account). */
  kind: 'transient' | 'permanent';
  /** Twilio's error code, e.g. `21211`; without an answer the connection's, e.g. `ECONNREFUSED`. */
  code?: string;
  /** HTTP status, if there was an answer. */
  status?: number;
  /** What Twilio's support asks for. */
  trackingId?: string;
  /** Whether the telephone may ring all the same. Always false for what only reads. */
  mayHaveWorked: boolean;
}

/** A request to Twilio that brought no result. Holds no credentials. */
export class PhoneError extends Error {
  readonly kind: 'transient' | 'permanent';
  readonly code?: string;
  readonly status?: number;
  readonly trackingId?: string;
  readonly mayHaveWorked: boolean;

  constructor(message: string, details: PhoneErrorDetails) {
    super(message);
    this.name = 'PhoneError';
    this.kind = details.kind;
    this.code = details.code;
    this.status = details.status;
    this.trackingId = details.trackingId;
    this.mayHaveWorked = details.mayHaveWorked;
  }
}
