import { addressParser, type Address } from 'postal-mime';
import { fieldsOf, valueOf } from './header.js';
import { nstringOf, parenthesized } from './syntax.js';

const nil = 'NIL';

const mailbox = (name: string, address: string): Buffer => {
  const at = address.lastIndexOf('@');
  const [local, domain] = at < 0 ? [address, ''] : [address.slice(0, at), address.slice(at + 1)];
  return parenthesized([nstringOf(name === '' ? undefined : name), nil, nstringOf(local), nstringOf(domain)]);
};

/** A group is told by its name without a host, its members, and an entry of nothing. */
const entriesOf = (address: Address): Buffer[] =>
  address.group === undefined
    ? [mailbox(address.name, address.address)]
    : [
        parenthesized([nil, nil, nstringOf(address.name), nil]),
        ...address.group.map((member) => mailbox(member.name, member.address)),
        parenthesized([nil, nil, nil, nil]),
      ];

const addresses = (value: string | undefined): string | Buffer => {
  const entries = value === undefined ? [] : addressParser(value).flatMap(entriesOf);
  return entries.length === 0 ? nil : parenthesized(entries, '');
};

/** RFC 3501, 7.4.2; a missing sender or reply-to is the one who writes. */
export const envelopeOf = (mail: Buffer): Buffer => {
  const fields = fieldsOf(mail);
  const value = (name: string) => valueOf(fields, name);
  const from = value('from');
  return parenthesized([
    nstringOf(value('date')),
    nstringOf(value('subject')),
    addresses(from),
    addresses(value('sender') ?? from),
    addresses(value('reply-to') ?? from),
    addresses(value('to')),
    addresses(value('cc')),
    addresses(value('bcc')),
    nstringOf(value('in-reply-to')),
    nstringOf(value('message-id')),
  ]);
};
