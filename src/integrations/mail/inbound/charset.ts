import Encoding from 'encoding-japanese';

/*
 * Bytes to text. Customers' programs write Japanese in five encodings and name them in twenty ways, some of them not at all.
 * TextDecoder reads Shift_JIS and EUC-JP with Microsoft's additions (①, 髙); it reads neither JIS X 0212 nor the katakana
 * shifts of CP50222 in ISO-2022-JP, so that family goes to encoding-japanese.
 */

/** Names of encodings that TextDecoder does not know, without blanks, hyphens, underscores and `x-`. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'],
  ['ms932', 'shift_jis'],
  ['windows932', 'shift_jis'],
  ['windows31j', 'shift_jis'],
  ['mskanji', 'shift_jis'],
  ['sjis', 'shift_jis'],
  ['sjiswin', 'shift_jis'],
  ['shiftjis', 'shift_jis'],
  ['eucjp', 'euc-jp'],
  ['eucjpms', 'euc-jp'],
  ['eucjpwin', 'euc-jp'],
  ['cp51932', 'euc-jp'],
  ['utf8', 'utf-8'],
  ['utf8mb4', 'utf-8'],
  ['cp936', 'gbk'],
  ['cp949', 'euc-kr'],
  ['cp950', 'big5'],
]);
const JIS = /^(?:iso2022jp|cs?iso2022jp|cp5022[0-2]|jis$|junet$)/;
/** What programs write that do not know the encoding themselves. `us-ascii` is the default of RFC 2045, so it says nothing. */
const SAYS_NOTHING: ReadonlySet<string> = new Set([
  '',
  'usascii',
  'ascii',
  'unknown',
  'unknown8bit',
  'unknown',
  'default',
  '8bit',
]);

const ESC = 0x1b;
/** Enough to tell encodings apart. */
const SAMPLE_BYTES = 65_536;

export function decodeBytes(bytes: Uint8Array, label: string): string {
  const name = label
    .trim()
    .toLowerCase()
    .replace(/^x-/, '')
    .replace(/[\s_-]/g, '')
    .slice(0, 40);
  if (JIS.test(name)) return decodeJis(bytes);
  if (SAYS_NOTHING.has(name)) return decodeUnnamed(bytes);
  const alias = ALIASES.get(name);
  if (alias === 'utf-8') return decodeUnnamed(bytes);
  return tryDecode(bytes, alias ?? label.trim(), false) ?? decodeUnnamed(bytes);
}

/** For bytes whose encoding nobody says, or that are not what they are said to be. */
export function decodeUnnamed(bytes: Uint8Array): string {
  if (isPlainAscii(bytes)) return latin1(bytes);
  if (hasJisEscape(bytes)) return decodeJis(bytes);
  const utf8 = tryDecode(bytes, 'utf-8', true);
  if (utf8 !== null) return utf8;
  const guess = Encoding.detect(bytes.subarray(0, SAMPLE_BYTES), ['SJIS', 'EUCJP']);
  // Both also "fit" many Western texts: only bytes without one fault are believed to be Japanese.
  const japanese =
    guess === 'SJIS'
      ? tryDecode(bytes, 'shift_jis', true)
      : guess === 'EUCJP'
        ? tryDecode(bytes, 'euc-jp', true)
        : null;
  return japanese ?? tryDecode(bytes, looksLikeUtf8(bytes) ? 'utf-8' : 'windows-1252', false) ?? latin1(bytes);
}

/** Whether a raw header needs decoding: it has bytes outside ASCII, or JIS's escapes. */
export function isPlainAscii(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === ESC) return false;
  return true;
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function tryDecode(bytes: Uint8Array, label: string, isStrict: boolean): string | null {
  try {
    // As a stream: a character that was cut off at the end is no fault, but shown as one where faults are allowed.
    return new TextDecoder(label, { fatal: isStrict }).decode(bytes, { stream: isStrict });
  } catch {
    return null;
  }
}

/** Whether more of the bytes outside ASCII are in UTF-8's sequences than not: a broken mail, not another encoding. */
function looksLikeUtf8(bytes: Uint8Array): boolean {
  const sample = new TextDecoder('utf-8').decode(bytes.subarray(0, SAMPLE_BYTES));
  let good = 0;
  let bad = 0;
  for (const character of sample) {
    if (character === '\ufffd') bad++;
    else if (character > '\x7f') good++;
  }
  return good > bad;
}

function hasJisEscape(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(ESC); at >= 0; at = bytes.indexOf(ESC, at + 1)) {
    if (bytes[at + 1] === 0x24 || (bytes[at + 1] === 0x28 && bytes[at + 2] === 0x49)) return true;
  }
  return false;
}

function decodeJis(bytes: Uint8Array): string {
  // A mail that calls itself ISO-2022-JP and has 8-bit bytes was never encoded as such.
  if (bytes.some((byte) => byte >= 0x80) && !hasJisEscape(bytes)) return decodeUnnamed(bytes);
  return Encoding.codeToString(Encoding.convert(withoutShifts(bytes), { from: 'JIS', to: 'UNICODE' }));
}

const SHIFT_OUT = 0x0e;
const SHIFT_IN = 0x0f;
const KATAKANA = [ESC, 0x28, 0x49];
const ASCII = [ESC, 0x28, 0x42];

/** CP50222 shifts to katakana by SO and back by SI, which encoding-japanese does not know: they become escapes. */
function withoutShifts(bytes: Uint8Array): Uint8Array {
  if (!bytes.includes(SHIFT_OUT)) return bytes;
  const out: number[] = [];
  let before = ASCII;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === SHIFT_OUT) out.push(...KATAKANA);
    else if (byte === SHIFT_IN) out.push(...before);
    else {
      if (byte === ESC)
        before = [...bytes.subarray(at, at + (bytes[at + 1] === 0x24 && bytes[at + 2] === 0x28 ? 4 : 3))];
      out.push(byte);
    }
  }
  return Uint8Array.from(out);
}
