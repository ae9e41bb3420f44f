import type { Customer } from '../customer.js';
import { line } from './clean.js';
import type { Row } from './document.js';
import type { CustomerWords } from './words/words.js';

const MAX_NOTE_LENGTH = 500;

/** How the product's support desk is reached, on one line; null where the customers file does not say. */
export function supportDesk({ productSupport }: Customer, { listOf }: CustomerWords): string | null {
  if (productSupport === undefined) return null;
  const { name, mail, phone, url } = productSupport;
  return listOf([name, mail, phone, url].flatMap((part) => (part === undefined ? [] : [line(part, MAX_NOTE_LENGTH)])));
}

/** The same as a table. */
export function supportRows({ productSupport }: Customer, { label }: CustomerWords): Row[] {
  if (productSupport === undefined) return [];
  const { name, mail, phone, url, note } = productSupport;
  const row = (text: string, value: string | undefined): Row[] =>
    value === undefined ? [] : [{ label: text, value: line(value, MAX_NOTE_LENGTH) }];
  return [
    ...row(label.supportName, name),
    ...row(label.supportMail, mail),
    ...row(label.supportPhone, phone),
    ...row(label.supportUrl, url),
    ...row(label.supportNote, note),
  ];
}
