/** Whom the simulated vendors let in. */
export interface Credentials {
  twilioAccountSid: string;
  twilioAuthToken: string;
  defenderClientId: string;
  defenderClientSecret: string;
  /** PEM. With it, the signature of a client assertion is checked; without, only its claims are. */
  defenderClientCertificate?: string;
  /** Whose mail the IMAP server has: what SMTP takes for it, or for it with a `+` part, arrives there. */
  mailboxAddress: string;
}
