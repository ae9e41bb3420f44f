import type { Policy } from '../policy.js';
import { clip } from '../text.js';
import { line } from './clean.js';
import { customerWords } from './words/index.js';

const MAX_ANNOUNCEMENT_LENGTH = 600;
/** Whoever listens remembers no more, and the mail has it all. */
const MAX_TITLES = 3;
const MAX_TITLE_LENGTH = 70;

/** What the telephone says, however many incidents ring for it. */
export function announcement(policy: Policy, titles: readonly string[]): string {
  const spoken = [...new Set(titles.map((title) => line(title, MAX_TITLE_LENGTH)).filter((title) => title !== ''))];
  const told = spoken.slice(0, MAX_TITLES);
  const { call } = customerWords[policy.customer.language];
  return clip(call.announcement(told, spoken.length - told.length), MAX_ANNOUNCEMENT_LENGTH);
}

/** What it says after a key was pressed. */
export function acknowledgement(policy: Policy): string {
  return customerWords[policy.customer.language].call.acknowledgement;
}
