import { createHmac, timingSafeEqual } from 'node:crypto';
import { conversationKey, tokenLengths, type MailTokens } from '../../domain/customer-mail/tag.js';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** Tokens that only whoever has the secret can make: sixty bits of an HMAC behind the conversation's key. */
export function createMailTokens(secret: string): MailTokens {
  function of(workflowId: string): string {
    const digest = createHmac('sha256', secret).update(`conversation ${workflowId}`).digest();
    const signature = Array.from(
      digest.subarray(0, tokenLengths.signature),
      (byte) => ALPHABET[byte % ALPHABET.length] ?? '',
    );
    return `${conversationKey(workflowId)}-${signature.join('')}`;
  }

  return {
    of,
    isOf(token, workflowId) {
      const [given, own] = [Buffer.from(token), Buffer.from(of(workflowId))];
      return given.length === own.length && timingSafeEqual(given, own);
    },
  };
}
