import { createHash } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { loadCustomers } from './config.js';
import { refusedFileMail } from './domain/mails/refused-file.js';
import { messageIdOf } from './domain/mails/thread.js';
import type { ServiceSettings } from './domain/policy.js';
import { SECOND_MS } from './domain/time.js';
import type { MailSender } from './integrations/mail/sender.js';
import type { Policies } from './policy.js';

/** A look at the file's time; editors replace files, and some file systems tell nobody of a change. */
const LOOK_EVERY_MS = 2 * SECOND_MS;

export interface Reread {
  /** The new customers are in force. */
  changed(): void;
  /** The file is refused whole, with every problem listed; the customers of before stay. */
  refused(error: Error): void;
}

/** Reads the customers file again whenever it changes. @returns what ends that. */
export function watchCustomers(
  file: string,
  policies: Policies,
  told: Reread,
  lookEveryMs = LOOK_EVERY_MS,
): () => void {
  const reread = (): void => {
    try {
      policies.replace(loadCustomers(file));
    } catch (error) {
      told.refused(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    told.changed();
  };
  watchFile(file, { interval: lookEveryMs, persistent: false }, (now, before) => {
    if (now.mtimeMs !== before.mtimeMs || now.size !== before.size) reread();
  });
  return () => unwatchFile(file, undefined);
}

/** Several workers may read the same bad file: they send the same Message-ID. */
export async function tellRefusedFile(mail: MailSender, service: ServiceSettings, error: Error): Promise<void> {
  const { kind, ...rendered } = refusedFileMail(error.message.split('\n'), service.socMailTo);
  const about = createHash('sha256').update(error.message).digest('hex').slice(0, 16);
  await mail.send({
    ...rendered,
    messageId: messageIdOf('customers-file', about, service.mailDomain),
    references: [],
    headers: { 'X-Mimamori-Kind': kind },
  });
}
