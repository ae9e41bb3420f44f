/** As much XML as TwiML needs: elements, attributes, text, comments, CDATA; no DTD. */

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: (Element | string)[];
}

export class XmlError extends Error {}

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const decodeEntities = (text: string): string =>
  text.replace(/&(#x[0-9a-f]+|#\d+|\w+);?/gi, (whole: string, name: string) => {
    if (!whole.endsWith(';')) throw new XmlError(`'${whole}' is no entity.`);
    if (name.startsWith('#x')) return String.fromCodePoint(Number.parseInt(name.slice(2), 16));
    if (name.startsWith('#')) return String.fromCodePoint(Number(name.slice(1)));
    const character = entities[name];
    if (character === undefined) throw new XmlError(`'${whole}' is no entity.`);
    return character;
  });

const attribute = /([\w:.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g;

const parseAttributes = (text: string): Record<string, string> => {
  const attributes: Record<string, string> = {};
  for (const [, name = '', doubleQuoted, singleQuoted] of text.matchAll(attribute))
    attributes[name] = decodeEntities(doubleQuoted ?? singleQuoted ?? '');
  return attributes;
};

const ignored = /<!--[\s\S]*?-->|<\?[\s\S]*?\?>/.source;
const cdataSection = /<!\[CDATA\[([\s\S]*?)\]\]>/.source;
const closingTag = /<\/([\w:.-]+)\s*>/.source;
const openingTag = /<([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/.source;
const plainText = /([^<]+)/.source;
const tokenPattern = [ignored, cdataSection, closingTag, openingTag, plainText].join('|');

/** @returns the root element */
export const parseXml = (text: string): Element => {
  const top: Element = { name: '', attributes: {}, children: [] };
  const open: Element[] = [top];
  const source = text.replace(/^\uFEFF/, '');
  const token = new RegExp(tokenPattern, 'y');
  let position = 0;
  while (position < source.length) {
    token.lastIndex = position;
    const match = token.exec(source);
    if (match === null) throw new XmlError(`Not well-formed at position ${position}.`);
    position = token.lastIndex;
    const current = open.at(-1) ?? top;
    const [, cdata, closed, opened, attributes, selfClosing, characters] = match;
    if (cdata !== undefined) current.children.push(cdata);
    else if (characters !== undefined) {
      const decoded = decodeEntities(characters);
      if (current === top && decoded.trim() !== '') throw new XmlError('Text outside of the root element.');
      if (current !== top) current.children.push(decoded);
    } else if (closed !== undefined) {
      if (current.name !== closed) throw new XmlError(`</${closed}> closes <${current.name}>.`);
      open.pop();
    } else if (opened !== undefined) {
      const element: Element = { name: opened, attributes: parseAttributes(attributes ?? ''), children: [] };
      current.children.push(element);
      if (selfClosing !== '/') open.push(element);
    }
  }
  if (open.length > 1) throw new XmlError(`<${open.at(-1)?.name ?? ''}> is not closed.`);
  const [root, second] = top.children;
  if (root === undefined || typeof root === 'string') throw new XmlError('There is no root element.');
  if (second !== undefined) throw new XmlError('There is more than one root element.');
  return root;
};

export const elementsOf = (element: Element): Element[] =>
  element.children.filter((child): child is Element => typeof child !== 'string');

export const textOf = (element: Element): string =>
  element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('');
