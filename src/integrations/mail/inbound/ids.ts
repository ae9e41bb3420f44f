import { LIMITS } from '../../../domain/customer-mail/mail.js';

const ID = /<[^\s<>\p{Cc}]{1,900}>/gu;

/** The Message-IDs in a header, oldest first, each once; of too many, the first (the thread's start) and the last ones. */
export function idsIn(value: string): string[] {
  const all = [...new Set(value.match(ID) ?? [])];
  return all.length <= LIMITS.ids ? all : [...all.slice(0, 1), ...all.slice(1 - LIMITS.ids)];
}

export function idIn(value: string): string | null {
  return idsIn(value)[0] ?? null;
}

/** The first of our own Message-IDs in a text. */
export function ownIdIn(text: string, ownDomain: string): string | null {
  const end = `@${ownDomain.toLowerCase()}>`;
  return text.match(ID)?.find((id) => id.toLowerCase().endsWith(end)) ?? null;
}
