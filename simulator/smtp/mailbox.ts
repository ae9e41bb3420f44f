import PostalMime, { decodeWords, type Address } from 'postal-mime';

export interface Mail {
  receivedAt: string;
  /** Of the header, as are `to` and `cc`; what SMTP was told is in `envelope`. */
  from: string;
  to: string[];
  cc: string[];
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  raw: string;
  envelope: { from: string; to: string[] };
}

/** How an address is refused at RCPT. */
export interface Refusal {
  rejects: number;
  message: string;
}

const addressesOf = (addresses: Address[] | undefined): string[] =>
  (addresses ?? []).flatMap((address) =>
    address.group === undefined ? [address.address] : address.group.map((member) => member.address),
  );

/** The line ends of the wire are nothing that a reader sees; they are in `raw`. */
const unixLines = (text: string): string => text.replaceAll('\r\n', '\n');

export const parseMail = async (bytes: Buffer, envelope: Mail['envelope']): Promise<Mail> => {
  const parsed = await PostalMime.parse(bytes);
  const headers: Record<string, string> = {};
  // The first of a repeated header is the one nearest to the reader.
  for (const { key, value } of parsed.headers) headers[key] ??= decodeWords(value);
  return {
    receivedAt: new Date().toISOString(),
    from: addressesOf(parsed.from === undefined ? [] : [parsed.from])[0] ?? '',
    to: addressesOf(parsed.to),
    cc: addressesOf(parsed.cc),
    subject: parsed.subject ?? '',
    text: unixLines(parsed.text ?? ''),
    html: unixLines(parsed.html ?? ''),
    headers,
    raw: bytes.toString('utf8'),
    envelope,
  };
};

/** The mail that has arrived, and the addresses that take none. */
export class Mailboxes {
  #mails: Mail[] = [];
  readonly #refusals = new Map<string, Refusal>();

  keep(mail: Mail): void {
    this.#mails.push(mail);
  }

  list(): Mail[] {
    return this.#mails;
  }

  refuse(address: string, refusal: Refusal | null): void {
    if (refusal === null) this.#refusals.delete(address.toLowerCase());
    else this.#refusals.set(address.toLowerCase(), refusal);
  }

  refusalOf(address: string): Refusal | undefined {
    return this.#refusals.get(address.toLowerCase());
  }

  reset(): void {
    this.#mails = [];
    this.#refusals.clear();
  }
}
