import { z } from 'zod';

export const phoneSchema = z.strictObject({
  answers: z.enum(['human', 'voicemail', 'nobody', 'busy']).default('human'),
  /** The keys that a human presses when asked; null for none. */
  presses: z
    .string()
    .regex(/^[0-9*#]+$/, 'Digits, * and # only.')
    .nullable()
    .default('1'),
  /** Until it is answered, and again until a key is pressed; also the longest that a prompt waits in vain. */
  afterSeconds: z.number().min(0).max(600).optional(),
});

export type Phone = z.infer<typeof phoneSchema>;

const defaultAnswerSeconds = 0.2;
const longestSilenceSeconds = 1;

export const defaultPhone: Phone = { answers: 'human', presses: '1' };

export const answerSeconds = (phone: Phone): number => phone.afterSeconds ?? defaultAnswerSeconds;

/** Waiting in vain is cut short: what TwiML asks for would make every test wait as long as a caller does. */
export const silenceSeconds = (phone: Phone, asked: number): number =>
  Math.min(asked, phone.afterSeconds ?? longestSilenceSeconds);
