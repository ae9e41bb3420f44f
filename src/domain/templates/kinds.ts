import type { Letter } from './document.js';

export const mailKinds = [
  'primary',
  'secondary',
  'isolation-result',
  'release-result',
  'reminder',
  'inquiry-answer',
  'inquiry-referral',
  'soc-warning',
  'soc-breach',
  'soc-failure',
  'exclusion-confirmed',
  'exclusion-reminder',
  'exclusion-ended',
] as const;
export type MailKind = (typeof mailKinds)[number];
export type CustomerMailKind = Exclude<MailKind, 'soc-warning' | 'soc-breach' | 'soc-failure'>;

/** What the header `X-Mimamori-Kind` and the activity need: the mail without its thread and id. Whoever sends it renders it. */
export interface RenderedMail {
  kind: MailKind;
  to: string[];
  cc: string[];
  subject: string;
  letters: Letter[];
}
