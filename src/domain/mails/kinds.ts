export const mailKinds = [
  'primary',
  'secondary',
  'isolation-result',
  'release-result',
  'soc-warning',
  'soc-breach',
  'soc-failure',
  'exclusion-confirmed',
  'exclusion-reminder',
] as const;
export type MailKind = (typeof mailKinds)[number];
export type CustomerMailKind = Exclude<MailKind, 'soc-warning' | 'soc-breach' | 'soc-failure'>;

/** What the header `X-Mimamori-Kind` and the activity need: the mail without its thread and id. */
export interface RenderedMail {
  kind: MailKind;
  to: string[];
  cc: string[];
  subject: string;
  text: string;
  html: string;
}
