/** What a caller can do about it. */
export type DefenderErrorKind =
  /** No answer, a server's failure, or an answer that is not Defender's: again later. */
  | 'transient'
  /** Too many requests for this tenant: again after `retryAfterMs`. */
  | 'throttled'
  /** The token is refused, also a fresh one. */
  | 'unauthorized'
  /** The application lacks a permission in this tenant. */
  | 'forbidden'
  | 'not-found'
  /** Defender understood and says no; `code` says why. */
  | 'rejected';

export interface DefenderErrorDetails {
  kind: DefenderErrorKind;
  /** HTTP status, if there was an answer. */
  status?: number;
  /** Defender's error code, e.g. `ActiveRequestAlreadyExists`; without an answer the connection's, e.g. `ECONNREFUSED`. */
  code?: string;
  /** What Microsoft's support asks for. */
  trackingId?: string;
  /** The message without the tracking id, which is another for every try. Default: the message. */
  words?: string;
  retryAfterMs?: number;
  /** Whether Defender may have done what was asked: look before asking again. Always false for what only reads. */
  mayHaveWorked: boolean;
}

/** A call to Defender that brought no result. Holds neither token nor headers nor bodies. */
export class DefenderError extends Error {
  readonly kind: DefenderErrorKind;
  readonly status?: number;
  readonly code?: string;
  readonly trackingId?: string;
  readonly words: string;
  readonly retryAfterMs?: number;
  readonly mayHaveWorked: boolean;

  constructor(message: string, details: DefenderErrorDetails) {
    super(message);
    this.name = 'DefenderError';
    this.kind = details.kind;
    this.status = details.status;
    this.code = details.code;
    this.trackingId = details.trackingId;
    this.words = details.words ?? message;
    this.retryAfterMs = details.retryAfterMs;
    this.mayHaveWorked = details.mayHaveWorked;
  }
}
