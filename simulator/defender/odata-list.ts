import { createHash } from 'node:crypto';
import type { HttpRequest } from '../http/request.js';
import { comparableTime, ODataError, parseFilter, type FieldKind, type Row } from './odata-filter.js';

export interface ListShape {
  /** What `@odata.context` calls it: `Alerts`. */
  entitySet: string;
  fields: Readonly<Record<string, FieldKind>>;
  /** The time that decides the order unless `$orderby` does: newest first. */
  newestBy: string;
}

export const alertOrders = ['newest-created', 'newest-updated', 'oldest-updated', 'shuffled'] as const;
export type AlertOrder = (typeof alertOrders)[number];

export const largestPage = 10_000;
const knownOptions = ['$filter', '$top', '$skip', '$orderby', '$expand', '$count'];

export const odataContext = (fragment: string): string =>
  // Defender answers with this host whichever was asked.
  `https://api.securitycenter.microsoft.com/api/$metadata#${fragment}`;

const readInteger = (query: URLSearchParams, name: string): number | undefined => {
  const given = query.get(name);
  if (given === null) return undefined;
  if (!/^\d+$/.test(given)) throw new ODataError(`Invalid value '${given}' for ${name} query option found.`);
  return Number(given);
};

const sortable = (kind: FieldKind, value: unknown): string | number => {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return '';
  return kind === 'date' ? (comparableTime(value) ?? '') : value;
};

type KeyOf = (row: Row) => string | number;

/** By something that has to do with no time, and stays. */
const placeOf: KeyOf = (row) => createHash('sha256').update(String(row['id'])).digest('hex');

const ordered = (order: AlertOrder): { keyOf: KeyOf; sign: 1 | -1 } => {
  const timeOf =
    (field: string): KeyOf =>
    (row) =>
      sortable('date', row[field]);
  switch (order) {
    case 'newest-created':
      return { keyOf: timeOf('alertCreationTime'), sign: -1 };
    case 'newest-updated':
      return { keyOf: timeOf('lastUpdateTime'), sign: -1 };
    case 'oldest-updated':
      return { keyOf: timeOf('lastUpdateTime'), sign: 1 };
    case 'shuffled':
      return { keyOf: placeOf, sign: 1 };
  }
};

const readOrder = (
  query: URLSearchParams,
  shape: ListShape,
  unasked: AlertOrder | undefined,
): { keyOf: KeyOf; sign: 1 | -1 } => {
  const given = query.get('$orderby');
  if (given === null)
    return unasked === undefined
      ? { keyOf: (row) => sortable('date', row[shape.newestBy]), sign: -1 }
      : ordered(unasked);
  const [field = '', direction = 'asc', extra] = given.trim().split(/\s+/);
  const kind = shape.fields[field];
  if (kind === undefined || extra !== undefined || (direction !== 'asc' && direction !== 'desc'))
    throw new ODataError(`The $orderby expression '${given}' is not valid.`);
  return { keyOf: (row) => sortable(kind, row[field]), sign: direction === 'asc' ? 1 : -1 };
};

/** What a list is like where nobody asks. */
export interface ListHabits {
  order: AlertOrder;
  /** The most rows in one answer. */
  most: number;
}

/**
 * Answers a list query: the body that Defender would send. What `present` makes of a row is made for the page's rows only:
 * there may be thousands of others.
 */
export const answerList = <R extends Row>(
  rows: readonly R[],
  request: HttpRequest,
  shape: ListShape,
  present: (row: R) => Row = (row) => row,
  habits?: ListHabits,
): Row => {
  const { query } = request;
  for (const name of query.keys())
    if (name.startsWith('$') && !knownOptions.includes(name))
      throw new ODataError(`The query parameter '${name}' is not supported.`);
  const filter = query.get('$filter');
  const top = readInteger(query, '$top');
  if (top !== undefined && top > largestPage)
    throw new ODataError(
      `The limit of '${largestPage}' for Top query has been exceeded. The value from the incoming request is '${top}'.`,
      'ODataError',
    );
  const skip = readInteger(query, '$skip') ?? 0;
  const { keyOf, sign } = readOrder(query, shape, habits?.order);
  const matching = rows
    .filter(filter === null ? () => true : parseFilter(filter, shape.fields))
    .map((row, position) => ({ row, position, key: keyOf(row) }))
    .sort((a, b) => (a.key === b.key ? a.position - b.position : a.key < b.key ? -sign : sign))
    .map(({ row }) => row);
  const end = skip + Math.min(top ?? largestPage, habits?.most ?? largestPage);
  const next = new URLSearchParams(query);
  next.set('$skip', String(end));
  return {
    '@odata.context': odataContext(shape.entitySet),
    ...(query.get('$count') === 'true' ? { '@odata.count': matching.length } : {}),
    value: matching.slice(skip, end).map(present),
    // Asking for a page of one's own size is answered without a link to the next.
    ...(top === undefined && matching.length > end
      ? { '@odata.nextLink': `${request.baseUrl}${request.path}?${next.toString()}` }
      : {}),
  };
};
