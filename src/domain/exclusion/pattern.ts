import type { ExclusionField } from './fields.js';

/**
 * A condition's text, ready to be compared: either all of it, or the parts between its asterisks. An asterisk stands
 * for any run of characters, an empty one too; nothing else is special.
 */
export type Pattern = { kind: 'exact'; text: string } | { kind: 'wild'; parts: readonly string[] };

/** A text of an alert in the form in which patterns are compared with it. `isCut`: only its beginning is known. */
export interface Comparable {
  text: string;
  isCut: boolean;
}

// Every UTF-16 unit of a text below U+0080 is ASCII; the class is ranges only, so this is one pass.
const ASCII = /^[\0-\x7f]*$/;

/**
 * Letters as Windows compares names: unit by unit, whatever the language of the machine. What is outside ASCII never
 * becomes a letter inside it (the Kelvin sign is no `k`): such a name looks the same and is another file.
 */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  let folded = '';
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charAt(at);
    const lower = unit.toLowerCase();
    folded += lower.length !== 1 || (unit > '\x7f' && lower <= '\x7f') ? unit : lower;
  }
  return folded;
}

/** A folder without steps up and down, so that `C:\App\..\Temp` is no folder of `C:\App`. */
export function plainFolder(path: string): string {
  const backslashed = path.replaceAll('/', '\\');
  const plain = backslashed.startsWith('\\\\?\\') ? backslashed.slice(4) : backslashed;
  const steps: string[] = [];
  for (const step of plain.split('\\')) {
    if (step === '..' && steps.length > 1) steps.pop();
    else if (step !== '.' && step !== '..') steps.push(step);
  }
  return steps.join('\\');
}

function withoutEnd(text: string, end: string): string {
  let length = text.length;
  while (length > 0 && text.charAt(length - 1) === end) length -= 1;
  return text.slice(0, length);
}

/** A folder ends in its backslash: `C:\App\*` is then the folder itself and all below it, and no `C:\Apparatus`. */
function closedFolder(text: string): string {
  return text.endsWith('*') ? text : `${withoutEnd(text, '\\')}\\`;
}

/** What the alert says, as patterns are compared with it. */
export function comparable(field: ExclusionField, text: string, isCut = false): Comparable {
  const folded = fold(text.trim());
  switch (field) {
    case 'folderPath': {
      const folder = folded.replaceAll('/', '\\');
      // No folder's name holds an asterisk: the ending is always a backslash's.
      return { text: isCut ? folder : `${withoutEnd(folder, '\\')}\\`, isCut };
    }
    case 'domain':
      return { text: isCut ? folded : withoutEnd(folded, '.'), isCut };
    case 'title':
    case 'detectorId':
    case 'threatName':
    case 'category':
    case 'device':
    case 'fileName':
    case 'sha1':
    case 'sha256':
    case 'certificateThumbprint':
    case 'commandLine':
    case 'url':
    case 'ip':
    case 'account':
      return { text: folded, isCut };
  }
}

export function toPattern(field: ExclusionField, text: string): Pattern {
  const folded = fold(text.trim());
  const whole =
    field === 'folderPath'
      ? closedFolder(folded.replaceAll('/', '\\'))
      : field === 'domain'
        ? withoutEnd(folded, '.')
        : folded;
  return whole.includes('*') ? { kind: 'wild', parts: whole.split('*') } : { kind: 'exact', text: whole };
}

/**
 * Does the pattern hold for the text? Each part is looked for once, at its first place after the part before; a later
 * place could only leave less for the rest, so nothing is ever tried again.
 *
 * Of a cut text only the beginning is known: the pattern holds only where it would whatever follows, that is where it
 * ends in an asterisk and everything before that is in the known part.
 */
export function holds(pattern: Pattern, { text, isCut }: Comparable): boolean {
  if (pattern.kind === 'exact') return !isCut && text === pattern.text;
  const { parts } = pattern;
  const last = parts.length - 1;
  const first = parts[0] ?? '';
  const end = parts[last] ?? '';
  if (!text.startsWith(first) || (isCut && end !== '')) return false;
  let from = first.length;
  for (let index = 1; index < last; index += 1) {
    const part = parts[index] ?? '';
    const found = text.indexOf(part, from);
    if (found === -1) return false;
    from = found + part.length;
  }
  return text.length - end.length >= from && text.endsWith(end);
}
