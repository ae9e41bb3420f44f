/*
 * The token of a conversation: a key to look it up by, and a signature to believe it by. In our mails it is the plus part of the
 * Reply-To, and a tag at the end of the subject.
 */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const KEY_LENGTH = 8;

/**
 * Eight letters by which a conversation is looked up, in mail addresses and subjects, where the whole id would be too long.
 * Two conversations may have the same one, and anybody can work it out: what is believed is the signature behind it.
 */
export function conversationKey(workflowId: string): string {
  // FNV-1a, by 64 bits.
  let hash = 0xcbf29ce484222325n;
  for (const character of workflowId) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(character.codePointAt(0) ?? 0)) * 0x100000001b3n);
  }
  let key = '';
  for (let index = 0; index < KEY_LENGTH; index += 1) {
    key += ALPHABET[Number(hash & 31n)] ?? '';
    hash >>= 5n;
  }
  return key;
}

export const tokenLengths = { key: KEY_LENGTH, signature: 12 } as const;

/** A token as it stands in an address: `soc+abcdefgh-ijklmnopqrst@…`. */
const TOKEN = new RegExp(`[a-z2-7]{${tokenLengths.key}}-[a-z2-7]{${tokenLengths.signature}}`, 'g');

export interface TokenSeen {
  token: string;
  key: string;
}

function tokenOf(token: string): TokenSeen {
  return { token, key: token.slice(0, KEY_LENGTH) };
}

/** The tokens in the plus parts of addresses. */
export function tokensInAddresses(addresses: readonly string[]): TokenSeen[] {
  return [...new Set(addresses.flatMap((address) => plusPart(address)?.match(TOKEN) ?? []))].map(tokenOf);
}

function plusPart(address: string): string | undefined {
  const at = address.lastIndexOf('@');
  const plus = address.indexOf('+');
  return plus < 0 || plus > at ? undefined : address.slice(plus + 1, at).toLowerCase();
}

/** The tokens in a subject: `[#abcdefgh-ijklmnopqrst]`. */
export function tokensInSubject(subject: string): TokenSeen[] {
  const tags = subject.toLowerCase().match(/\[#[a-z2-7-]{1,40}\]/g) ?? [];
  return [...new Set(tags.flatMap((tag) => tag.match(TOKEN) ?? []))].map(tokenOf);
}

/** The subject with its conversation's tag at the end, once; room is made for it where the subject is long. */
export function taggedSubject(subject: string, token: string, limit: number): string {
  const tag = ` [#${token}]`;
  return `${untagged(subject).slice(0, limit - tag.length)}${tag}`;
}

export function untagged(subject: string): string {
  return subject.replace(/\s*\[#[a-z2-7-]{1,40}\]/gi, '').trim();
}

/** `soc@example.com` with the token as its plus part. */
export function replyAddress(address: string, token: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, at)}+${token}${address.slice(at)}`;
}

/** Who makes and knows tokens: it takes a secret. */
export interface MailTokens {
  /** The token of the conversation that began with that workflow's mails, e.g. `abcdefgh-ijklmnopqrst`. */
  of(workflowId: string): string;
  /** Did we give this token to that conversation? */
  isOf(token: string, workflowId: string): boolean;
}
