import Encoding from 'encoding-japanese';

/** Raw mails as mail programs write them. */

export type Body = string | Uint8Array;

export interface RawPart {
  headers?: string[];
  body?: Body;
}

export function bytes(...pieces: Body[]): Uint8Array {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'utf8') : piece)));
}

export function encode(text: string, to: 'JIS' | 'SJIS' | 'EUCJP'): Uint8Array {
  return Uint8Array.from(Encoding.convert(Encoding.stringToCode(text), { from: 'UNICODE', to }));
}

export const HEAD = [
  'Message-ID: <m1@acme.example>',
  'From: Taro Yamada <taro@acme.example>',
  'To: soc@mimamori.example',
  'Subject: Re: alert',
  'Date: Tue, 24 Nov 2026 12:00:00 +0900',
];

/** A header given replaces the usual one of that name. */
export function mail(headers: string[], body: Body = 'Hello\r\n'): Uint8Array {
  const names = new Set(headers.map((header) => (header.split(':')[0] ?? '').toLowerCase()));
  const kept = HEAD.filter((header) => !names.has((header.split(':')[0] ?? '').toLowerCase()));
  return bytes([...kept, ...headers].join('\r\n'), '\r\n\r\n', body);
}

export function multipart(subtype: string, parts: RawPart[], boundary = 'b1'): { header: string; body: Uint8Array } {
  return {
    header: `Content-Type: multipart/${subtype}; boundary="${boundary}"`,
    body: bytes(
      ...parts.flatMap(({ headers = [], body = '' }) => [
        `--${boundary}\r\n${headers.join('\r\n')}${headers.length > 0 ? '\r\n' : ''}\r\n`,
        body,
        '\r\n',
      ]),
      `--${boundary}--\r\n`,
    ),
  };
}

export function base64(content: Body): string {
  return Buffer.from(content as string)
    .toString('base64')
    .replace(/.{76}/g, '$&\r\n');
}

export function quotedPrintable(content: Uint8Array): string {
  const coded = [...content].map((byte) =>
    byte > 126 || byte === 61 || byte < 32
      ? `=${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  );
  return coded.map((one, at) => (at % 20 === 19 ? `${one}=\r\n` : one)).join('');
}
