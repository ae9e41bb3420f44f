/** A mail's header as bytes: cut out and compared, never decoded and encoded again. */

/** Where the header ends and the body begins; the empty line belongs to the header. */
export const bodyStart = (mail: Buffer): number => {
  for (const emptyLine of ['\r\n\r\n', '\n\n']) {
    const at = mail.indexOf(emptyLine);
    if (at >= 0) return at + emptyLine.length;
  }
  return mail.length;
};

export interface Field {
  /** In lower case. */
  name: string;
  /** With its line end, folded as it came. */
  bytes: Buffer;
}

export const fieldsOf = (mail: Buffer): Field[] => {
  const header = mail.subarray(0, bodyStart(mail)).toString('latin1');
  return [...header.matchAll(/^([^\s:]+)[ \t]*:[^\n]*(?:\n|$)(?:[ \t][^\n]*(?:\n|$))*/gm)].map(
    ([field, name = '']) => ({
      name: name.toLowerCase(),
      bytes: Buffer.from(field, 'latin1'),
    }),
  );
};

/** The value of the first such field, unfolded; undefined where there is none. */
export const valueOf = (fields: readonly Field[], name: string): string | undefined => {
  const field = fields.find((candidate) => candidate.name === name);
  if (field === undefined) return undefined;
  const text = field.bytes.toString('utf8');
  return text
    .slice(text.indexOf(':') + 1)
    .replace(/\r?\n(?=[ \t])/g, '')
    .trim();
};
