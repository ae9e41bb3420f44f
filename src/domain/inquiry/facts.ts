import type { CommandOutcome } from '../commands.js';
import type { TakenMail } from '../customer-mail/news.js';
import type { InputError } from '../errors.js';
import type { Instant } from '../time.js';

/** Something that has happened. The record changes by facts and by nothing else. */
export type InquiryFact =
  | { type: 'mail-came'; taken: TakenMail }
  | { type: 'assigned'; operatorId: string | null; actor: string }
  | { type: 'answered'; text: string; actor: string; seen?: number }
  | { type: 'referred'; text: string | null; actor: string; seen?: number }
  | { type: 'closed'; reason: string; actor: string; seen?: number }
  | { type: 'is-answer'; mailKey: string; actor: string }
  | { type: 'reply-started'; number: number; messageId: string; to: string[] }
  | { type: 'reply-delayed'; number: number; why: string }
  | { type: 'reply-settled'; number: number; outcome: 'accepted' | 'failed'; at: Instant; reason: string | null }
  | { type: 'reply-bounced'; messageId: string; words: string }
  | { type: 'failure-told'; number: number }
  | { type: 'reminded'; minutes: number }
  | { type: 'incident-told'; revision: number; mailKeys: string[] }
  | { type: 'signal-rejected'; signal: string; errors: InputError[]; payload: string }
  | { type: 'command-handled'; key: string; bodyHash: string; outcome: CommandOutcome };
