import { internalDate } from './dates.js';
import { envelopeOf } from './envelope.js';
import { bodyStart, fieldsOf } from './header.js';
import type { Message } from './mailbox.js';
import { BadCommand, literalOf, parenthesized, textOf, type Argument } from './syntax.js';
import { flagsOf } from './view.js';

export interface FetchItem {
  name: string;
  value: (message: Message) => string | Buffer;
  /** Reading the text marks a mail as read, unless the client only peeks. */
  marksSeen: boolean;
}

const macros: Record<string, string[]> = {
  ALL: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE'],
  FAST: ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE'],
};

const attributes: Record<string, FetchItem['value']> = {
  UID: ({ uid }) => String(uid),
  FLAGS: (message) => `(${flagsOf(message)})`,
  INTERNALDATE: ({ receivedAt }) => `"${internalDate(receivedAt)}"`,
  'RFC822.SIZE': ({ bytes }) => String(bytes.length),
  ENVELOPE: ({ bytes }) => envelopeOf(bytes),
};

const partOf = (section: string): ((mail: Buffer) => Buffer) => {
  switch (section.toUpperCase()) {
    case '':
      return (mail) => mail;
    case 'HEADER':
      return (mail) => mail.subarray(0, bodyStart(mail));
    case 'TEXT':
      return (mail) => mail.subarray(bodyStart(mail));
  }
  const [, not, list = ''] = /^HEADER\.FIELDS(\.NOT)? \(([^()]*)\)$/i.exec(section) ?? [];
  const names = new Set(list.toLowerCase().replaceAll('"', '').split(/\s+/).filter(Boolean));
  if (names.size === 0) throw new BadCommand(`No such section: ${section}`);
  return (mail) =>
    Buffer.concat([
      ...fieldsOf(mail).flatMap(({ name, bytes }) => (names.has(name) === (not === undefined) ? [bytes] : [])),
      Buffer.from('\r\n'),
    ]);
};

/** `BODY.PEEK[HEADER.FIELDS (SUBJECT)]<0.100>` */
const bodyItem = (text: string): FetchItem | null => {
  const match = /^BODY(?<peek>\.PEEK)?\[(?<section>[^\]]*)\](?:<(?<start>\d+)\.(?<length>\d+)>)?$/i.exec(text);
  if (match === null) return null;
  const { peek, section = '', start, length } = match.groups ?? {};
  const part = partOf(section);
  const name = `BODY[${section}]${start === undefined ? '' : `<${start}>`}`;
  const from = Number(start ?? 0);
  const to = length === undefined ? undefined : from + Number(length);
  return {
    name,
    value: ({ bytes }) => literalOf(part(bytes).subarray(from, to)),
    marksSeen: peek === undefined,
  };
};

const itemOf = (text: string): FetchItem => {
  const name = text.toUpperCase();
  const value = attributes[name];
  const item = value === undefined ? bodyItem(text) : { name, value, marksSeen: false };
  if (item === null) throw new BadCommand(`${text} cannot be fetched`);
  return item;
};

export const readFetchItems = (argument: Argument | undefined, isByUid: boolean): FetchItem[] => {
  const names =
    argument?.kind === 'list'
      ? argument.items.map(textOf)
      : [textOf(argument)].flatMap((name) => macros[name.toUpperCase()] ?? [name]);
  const all = isByUid && !names.some((name) => name.toUpperCase() === 'UID') ? ['UID', ...names] : names;
  return all.map(itemOf);
};

export const fetched = (items: readonly FetchItem[], message: Message): Buffer =>
  parenthesized(items.flatMap(({ name, value }) => [name, value(message)]));
