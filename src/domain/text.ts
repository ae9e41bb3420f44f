/** What analysts read, in both languages of the service. */
export interface Bilingual {
  en: string;
  ja: string;
}

export type Language = keyof Bilingual;

export function bilingual(en: string, ja: string): Bilingual {
  return { en, ja };
}

/** Cuts at `limit` characters without splitting a surrogate pair, and shows that something was cut. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const last = text.charCodeAt(limit - 2);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 2 : limit - 1;
  return `${text.slice(0, end)}…`;
}

/** One line of plain text: control characters (a header injection's line breaks among them) become spaces. */
export function oneLine(text: string, limit: number): string {
  // eslint's no-control-regex does not apply: \p{Cc} names the class, and \p{Zl}\p{Zp} are Unicode's own line breaks.
  return clip(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').trim(), limit);
}

export function assertNever(value: never): never {
  throw new TypeError(`not handled: ${JSON.stringify(value)}`);
}

/** How long the text is in UTF-8, which is how Temporal counts. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    // Of a character of four bytes each half counts two.
    const isHalf = code >= 0xd800 && code <= 0xdfff;
    bytes += code < 0x80 ? 1 : code < 0x800 || isHalf ? 2 : 3;
  }
  return bytes;
}
