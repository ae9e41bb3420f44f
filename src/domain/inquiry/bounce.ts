import { z } from 'zod';

/** That a reply of ours did not arrive. */
export const bouncedReplySchema = z.object({ messageId: z.string().max(1_000), words: z.string().max(1_000) });
export type BouncedReply = z.infer<typeof bouncedReplySchema>;
