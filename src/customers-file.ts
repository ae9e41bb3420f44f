import { createHash } from 'node:crypto';
import { unwatchFile, watchFile, type StatsListener } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { loadCustomers } from './config.js';
import type { Customer } from './domain/customer.js';
import { refusedFileMail } from './domain/templates/refused-file.js';
import { messageIdOf } from './domain/templates/thread.js';
import type { ServiceSettings } from './domain/policy.js';
import { MINUTE_MS, SECOND_MS } from './domain/time.js';
import { bodyOf } from './integrations/mail/body.js';
import type { MailSender } from './integrations/mail/sender.js';
import type { Policies } from './policy.js';

/** A look at the file's time; editors replace files, and some file systems tell nobody of a change. */
const LOOK_EVERY_MS = 2 * SECOND_MS;
const FIRST_MAIL_PAUSE_MS = SECOND_MS;

export interface Reread {
  /** The new customers are in force. */
  changed(): void;
  /** The file is refused whole, with every problem listed; the customers of before stay. */
  refused(error: Error): void;
}

export interface FileWatch {
  lookEveryMs?: number;
  /** What else must hold of the customers. @throws Error where it does not */
  check?: ((customers: readonly Customer[]) => Promise<void>) | undefined;
}

/**
 * Reads the customers file again whenever it changes. One that cannot be used is looked at once more before it is refused:
 * it may be half written, or away while an editor replaces it.
 *
 * @returns what ends that.
 */
export function watchCustomers(
  file: string,
  policies: Policies,
  told: Reread,
  { lookEveryMs = LOOK_EVERY_MS, check }: FileWatch = {},
): () => void {
  let again: NodeJS.Timeout | undefined;
  const reread = async (refuse: (error: Error) => void, isFirst = false): Promise<void> => {
    clearTimeout(again);
    try {
      const customers = loadCustomers(file);
      if (isFirst && isDeepStrictEqual(customers, policies.all())) return;
      if (check !== undefined) await check(customers);
      policies.replace(customers);
    } catch (error) {
      refuse(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    told.changed();
  };
  const lookOnceMore = (): void => {
    again = setTimeout(() => void reread((error) => told.refused(error)), lookEveryMs).unref();
  };
  const listener: StatsListener = (now, before) => {
    if (now.mtimeMs !== before.mtimeMs || now.size !== before.size) void reread(lookOnceMore);
  };
  watchFile(file, { interval: lookEveryMs, persistent: false }, listener);
  // The watch tells of nothing from before its own first look: what has changed since the customers were read is found by this.
  const soon = setTimeout(() => void reread(lookOnceMore, true), lookEveryMs).unref();
  return () => {
    clearTimeout(soon);
    clearTimeout(again);
    unwatchFile(file, listener);
  };
}

export interface FollowedBy {
  policies: Policies;
  mail: MailSender;
  log: Pick<Logger, 'info' | 'error'>;
  /** The new customers are in force. */
  changed: () => void;
}

/** Has the customers be as the file says, and the SOC told while it cannot be used. @returns what ends that. */
export function followCustomersFile(
  file: string,
  { policies, mail, log, changed }: FollowedBy,
  watch?: FileWatch,
): () => void {
  let telling = new AbortController();
  const stop = watchCustomers(
    file,
    policies,
    {
      changed() {
        telling.abort();
        log.info('the customers file was read again');
        changed();
      },
      refused(error) {
        telling.abort();
        telling = new AbortController();
        log.error({ err: error }, 'the changed customers file is refused; the customers of before stay');
        void tellRefusedFile(mail, policies.service, error, log, telling.signal);
      },
    },
    watch,
  );
  return () => {
    telling.abort();
    stop();
  };
}

/** Tries on until the mail is sent, or another look at the file has made it old. */
async function tellRefusedFile(
  mail: MailSender,
  service: ServiceSettings,
  error: Error,
  log: Pick<Logger, 'error'>,
  signal: AbortSignal,
): Promise<void> {
  const { kind, letters, ...envelope } = refusedFileMail(error.message.split('\n'), service.socMailTo);
  // Several workers may read the same bad file: they send the same Message-ID.
  const about = createHash('sha256').update(error.message).digest('hex').slice(0, 16);
  const messageId = messageIdOf('customers-file', about, service.mailDomain);
  const headers = { 'X-Mimamori-Kind': kind };
  const isOld = (): boolean => signal.aborted;
  for (let pauseMs = FIRST_MAIL_PAUSE_MS; !isOld(); pauseMs = Math.min(pauseMs * 2, MINUTE_MS)) {
    try {
      await mail.send({ ...envelope, ...bodyOf(letters), messageId, references: [], headers }, signal);
      return;
    } catch (failure) {
      if (isOld()) return;
      log.error({ err: failure }, 'the SOC could not be told of it; tried again');
    }
    await pause(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
