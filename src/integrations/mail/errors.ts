export interface MailErrorDetails {
  /** `permanent`: this mail will not be taken, however often it is sent. */
  kind: 'transient' | 'permanent';
  /** The server's reply code, e.g. 550. */
  smtpCode?: number;
  /** Its enhanced status code (RFC 3463), e.g. `5.1.1`. */
  enhancedCode?: string;
  /** Whether the server had the whole mail when the connection was lost, and may deliver it. */
  mayHaveBeenAccepted: boolean;
}

/** A mail that was not taken, or of which nobody knows. Holds no credentials and nothing of the mail's text. */
export class MailError extends Error {
  readonly kind: 'transient' | 'permanent';
  readonly smtpCode?: number;
  readonly enhancedCode?: string;
  readonly mayHaveBeenAccepted: boolean;

  constructor(message: string, details: MailErrorDetails) {
    super(message);
    this.name = 'MailError';
    this.kind = details.kind;
    this.smtpCode = details.smtpCode;
    this.enhancedCode = details.enhancedCode;
    this.mayHaveBeenAccepted = details.mayHaveBeenAccepted;
  }
}
