import type { Authentication } from '../../../domain/customer-mail/mail.js';
import type { Headers } from './headers.js';
import { splitOutsideQuotes, unquote, withoutComments } from './structured.js';

type MethodResult = Authentication['dmarc'];

interface Result {
  method: string;
  result: MethodResult;
  /** By `ptype.property`, e.g. `header.d`. */
  properties: ReadonlyMap<string, string>;
}

const UNKNOWN: Authentication = { spf: 'absent', dkim: 'absent', dmarc: 'absent', verdict: 'unknown' };
const MAX_RESULTS = 100;

/** In an authserv-id's place: our server writes none, as Exchange Online does. An underscore is in no host's name. */
export const NO_AUTHSERV_ID = '_none';

/**
 * What the receiving server found (RFC 8601). Only its own header counts, known by its authserv-id, and of several the topmost:
 * servers put theirs above what the sender wrote, and one with its name further down can be the sender's.
 */
export function authenticationOf(
  headers: Headers,
  authservId: string | undefined,
  fromAddress: string | null,
): Authentication {
  if (authservId === undefined) return UNKNOWN;
  const own = authservId === NO_AUTHSERV_ID ? null : authservId.toLowerCase();
  const results = headers
    .all('authentication-results')
    .map(readResults)
    .find(({ id }) => id === own)?.results;
  if (results === undefined) return UNKNOWN;
  const found = {
    spf: resultOf(results, 'spf'),
    dkim: resultOf(results, 'dkim'),
    dmarc: resultOf(results, 'dmarc'),
  };
  return { ...found, verdict: verdictOf(results, found.dmarc, fromAddress) };
}

function verdictOf(
  results: readonly Result[],
  dmarc: MethodResult,
  fromAddress: string | null,
): Authentication['verdict'] {
  if (dmarc === 'fail') return 'failed';
  const from = fromAddress === null ? '' : domainOf(fromAddress);
  // Nobody can be held to a mail of several senders, or of none: what passed was one of them.
  if (from === '') return 'unknown';
  const isOurs = results.some(({ method, result, properties }) => {
    if (result !== 'pass') return false;
    switch (method) {
      case 'dmarc':
        // Of the From that the server saw. One that reads the header otherwise than we do vouches for somebody else.
        return domainOf(properties.get('header.from') ?? from) === from;
      case 'spf':
        return isAligned(domainOf(properties.get('smtp.mailfrom') ?? ''), from);
      case 'dkim':
        return isAligned(domainOf(properties.get('header.d') ?? properties.get('header.i') ?? ''), from);
      default:
        return false;
    }
  });
  return isOurs ? 'authenticated' : 'unknown';
}

/** Pass where any of a method's results passed: a mail may have several signatures. For DMARC a failure weighs more. */
function resultOf(results: readonly Result[], method: string): MethodResult {
  const own = results.filter((one) => one.method === method).map(({ result }) => result);
  const order: MethodResult[] = method === 'dmarc' ? ['fail', 'pass', 'other'] : ['pass', 'fail', 'other'];
  return order.find((result) => own.includes(result)) ?? 'absent';
}

function readResults(value: string): { id: string | null; results: Result[] } {
  const parts = splitOutsideQuotes(withoutComments(value), ';').slice(0, MAX_RESULTS);
  const [head = '', ...rest] = parts;
  // Begins with a result: there is no id.
  if (readResult(head) !== null) return { id: null, results: parts.flatMap((part) => readResult(part) ?? []) };
  // A version may stand behind the id.
  const id = unquote(head.trim().split(/\s+/)[0] ?? '').toLowerCase();
  return { id, results: rest.flatMap((part) => readResult(part) ?? []) };
}

function readResult(part: string): Result | null {
  const [first = '', ...rest] = splitOutsideQuotes(
    part
      .replace(/\s+/g, ' ')
      .replace(/ ?([=/.]) ?/g, '$1')
      .trim(),
    ' ',
  );
  const [, method, result] = /^([a-z][a-z0-9-]{0,30})(?:\/\d{1,3})?=([a-z]{1,20})$/i.exec(first) ?? [];
  if (method === undefined || result === undefined) return null;
  const properties = new Map<string, string>();
  for (const property of rest) {
    const equals = property.indexOf('=');
    const name = property.slice(0, Math.max(0, equals)).toLowerCase();
    if (equals > 0 && !properties.has(name)) properties.set(name, unquote(property.slice(equals + 1)));
  }
  return { method: method.toLowerCase(), result: toMethodResult(result.toLowerCase()), properties };
}

function toMethodResult(result: string): MethodResult {
  if (result === 'pass') return 'pass';
  // RFC 8601's `fail`, and the old name of SPF's.
  return result === 'fail' || result === 'hardfail' ? 'fail' : 'other';
}

function domainOf(address: string): string {
  return address
    .slice(address.lastIndexOf('@') + 1)
    .trim()
    .replace(/\.$/, '')
    .toLowerCase();
}

/**
 * Relaxed alignment without a list of public suffixes: the same domain, or one inside the other. Stricter than DMARC for sisters
 * (`mail.acme.example` for `shop.acme.example`), and never for a whole top-level domain.
 */
function isAligned(domain: string, from: string): boolean {
  if (!domain.includes('.') || !from.includes('.')) return false;
  return domain === from || domain.endsWith(`.${from}`) || from.endsWith(`.${domain}`);
}
