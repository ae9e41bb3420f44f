import { ImapFlow, type ImapFlowOptions } from 'imapflow';
import { isLoopback } from '../../domain/hosts.js';
import { oneLine } from '../../domain/text.js';
import { SECOND_MS, toInstant, type Instant } from '../../domain/time.js';
import { outside } from '../outside.js';

/** Where a mail goes once it has been taken; both are made where they are missing. */
export const mailboxFolders = ['Processed', 'Attention'] as const;
export type MailboxFolder = (typeof mailboxFolders)[number];

/** A mail that waits in the inbox, as far as lists tell it. */
export interface WaitingMail {
  uid: number;
  sizeBytes: number;
  /** When the server took it. */
  receivedAt: Instant;
}

export interface OpenMailbox {
  /** What waits in the inbox, the oldest first; at most so many. */
  waiting(limit: number): Promise<WaitingMail[]>;
  /** The mail's bytes, at most `maxBytes` of them; undefined where it is gone. */
  read(uid: number, maxBytes: number): Promise<Buffer | undefined>;
  /** A mail that is gone already is no failure. */
  move(uids: readonly number[], folder: MailboxFolder): Promise<void>;
  /** Until a mail may have come, or the time is over. Rejects when the connection is lost, or the signal says so. */
  news(timeoutMs: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface MailboxClient {
  open(): Promise<OpenMailbox>;
}

/** The mailbox could not be reached, or not be used. Holds no credentials. */
export class MailboxError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MailboxError';
  }
}

export interface MailboxOptions {
  /** `imaps://user:password@host:993`; `imap://` insists on STARTTLS, except on this machine itself. */
  imapUrl: string;
  /** For Exchange Online, in the password's place: a token for `IMAP.AccessAsApp`. */
  accessToken?: () => Promise<string>;
  /** For the server to let us in, to greet and to answer. Default: 15 seconds. */
  timeoutMs?: number;
}

const INBOX = 'INBOX';

function wordsOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'the mailbox does not answer';
  const read = (key: string): string => {
    const value: unknown = Object.entries(error).find(([name]) => name === key)?.[1];
    return typeof value === 'string' ? value : '';
  };
  if ('authenticationFailed' in error && error.authenticationFailed === true) {
    return `the mail server refused the sign-in (${read('serverResponseCode') || 'no code'})`;
  }
  const message = error instanceof Error ? error.message : '';
  return oneLine([message, read('code'), read('responseText')].filter((word) => word !== '').join(', '), 200);
}

async function orFail<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw error instanceof MailboxError ? error : new MailboxError(wordsOf(error));
  }
}

/** A mailbox over IMAP. Throws a TypeError for settings that cannot be used (without quoting the URL's password). */
export function createMailboxClient({
  imapUrl,
  accessToken,
  timeoutMs = 15 * SECOND_MS,
}: MailboxOptions): MailboxClient {
  const url = URL.canParse(imapUrl) ? new URL(imapUrl) : undefined;
  if (url === undefined || !/^imaps?:$/.test(url.protocol)) {
    throw new TypeError('the mailbox must be an imap:// or imaps:// URL');
  }
  const secure = url.protocol === 'imaps:';
  const user = decodeURIComponent(url.username);
  const common: Omit<ImapFlowOptions, 'auth'> = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port === '' ? (secure ? 993 : 143) : url.port),
    secure,
    // Nothing is said in the clear to another machine.
    ...(secure ? {} : { doSTARTTLS: !isLoopback(url.hostname) }),
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: 120 * SECOND_MS,
    clientInfo: { name: 'mimamori' },
  };

  return {
    async open() {
      const auth =
        accessToken === undefined
          ? { user, pass: decodeURIComponent(url.password) }
          : { user, accessToken: await accessToken() };
      const client = new ImapFlow({ ...common, auth });
      let lost: MailboxError | undefined;
      let wake = (): void => undefined;
      const lose = (error?: unknown): void => {
        lost ??= new MailboxError(error === undefined ? 'the connection to the mailbox was lost' : wordsOf(error));
        wake();
      };
      client.on('error', lose);
      client.on('close', () => lose());
      // A server may say so at any moment, also while nobody waits for it; it says so once.
      const arrivals: Arrivals = { areUnseen: false };
      client.on('exists', () => {
        arrivals.areUnseen = true;
        wake();
      });
      try {
        await orFail(client.connect());
        const known = new Set((await orFail(client.list())).map(({ path }) => path));
        const paths = new Map<MailboxFolder, string>();
        for (const folder of mailboxFolders) {
          const own = [...known].find(
            (path) => path === folder || path.endsWith(`.${folder}`) || path.endsWith(`/${folder}`),
          );
          paths.set(folder, own ?? (await orFail(client.mailboxCreate([folder]))).path);
        }
        await orFail(client.mailboxOpen(INBOX));
        return opened(
          client,
          paths,
          arrivals,
          () => lost,
          (then) => {
            wake = then;
          },
        );
      } catch (error) {
        client.close();
        throw error;
      }
    },
  };
}

interface Arrivals {
  /** Has a mail come since what waits was last asked for? */
  areUnseen: boolean;
}

function opened(
  client: ImapFlow,
  paths: ReadonlyMap<MailboxFolder, string>,
  arrivals: Arrivals,
  lost: () => MailboxError | undefined,
  onWake: (wake: () => void) => void,
): OpenMailbox {
  const check = (): void => {
    const error = lost();
    if (error !== undefined) throw error;
  };
  return {
    async waiting(limit) {
      check();
      arrivals.areUnseen = false;
      // The server tells what has come meanwhile in answer to this.
      await orFail(client.noop());
      check();
      if (client.mailbox === false || client.mailbox.exists === 0) return [];
      const found: WaitingMail[] = [];
      const last = Math.min(limit, client.mailbox.exists);
      const rows = await orFail(client.fetchAll(`1:${last}`, { uid: true, size: true, internalDate: true }));
      for (const { uid, size = 0, internalDate } of rows) {
        const at = new Date(internalDate ?? Number.NaN).getTime();
        found.push({ uid, sizeBytes: size, receivedAt: toInstant(Number.isNaN(at) ? Date.now() : at) });
      }
      return found;
    },

    async read(uid, maxBytes) {
      check();
      const fetchMail = () =>
        client.fetchOne(String(uid), { source: { start: 0, maxLength: maxBytes } }, { uid: true });
      const mail = await outside('IMAP fetch', {}, () => orFail(fetchMail()));
      return mail === false ? undefined : mail.source;
    },

    async move(uids, folder) {
      if (uids.length === 0) return;
      check();
      const moved = await orFail(client.messageMove(uids.join(','), paths.get(folder) ?? folder, { uid: true }));
      check();
      if (moved === false) throw new MailboxError(`the mail server did not move a mail to ${folder}`);
    },

    async news(timeoutMs, signal) {
      check();
      signal.throwIfAborted();
      if (arrivals.areUnseen) return;
      let timer: NodeJS.Timeout | undefined;
      let stop = (): void => undefined;
      try {
        await new Promise<void>((resolve) => {
          stop = () => resolve();
          onWake(resolve);
          timer = setTimeout(resolve, timeoutMs);
          signal.addEventListener('abort', stop, { once: true });
          client.idle().catch(() => undefined);
        });
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        onWake(() => undefined);
      }
      signal.throwIfAborted();
      check();
    },

    close() {
      client.close();
    },
  };
}
