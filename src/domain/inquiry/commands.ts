import { z } from 'zod';
import { reasonSchema } from '../commands.js';

const text = (limit: number) =>
  z.string().trim().min(1, 'must not be empty').max(limit, `must be at most ${limit} characters`);

/** How much of it was read, for what deals with all that waits: a mail that has come since goes on waiting. */
const seen = z.int().min(0).optional().meta({
  description: 'The `revision` that was read; without it, the one that is there when the command comes.',
});

export const inquiryAnswerSchema = z.strictObject({ text: text(8_000), seen });
export type InquiryAnswerBody = z.infer<typeof inquiryAnswerSchema>;

/** To the product's own support desk; `text`: what the analyst adds. */
export const inquiryReferralSchema = z.strictObject({ text: text(4_000).optional(), seen });
export type InquiryReferralBody = z.infer<typeof inquiryReferralSchema>;

export const inquiryClosureSchema = reasonSchema.extend({ seen });
export type InquiryClosureBody = z.infer<typeof inquiryClosureSchema>;

/** The mail answers what the incident has asked: by its Message-ID or key. Without `mail`, the customer's last one. */
export const isAnswerSchema = z.strictObject({ mail: text(1_000).optional() });
export type IsAnswerBody = z.infer<typeof isAnswerSchema>;
