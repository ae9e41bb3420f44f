import { sleep } from '@temporalio/workflow';
import type { Delayed, MailInput, MailResult, Told } from '../domain/ports.js';
import { toMs } from '../domain/time.js';
import { untilDone } from './outside.js';
import { now } from './support.js';

/** Between tries of a mail whose connection was cut as the server took it: longer each time, so that it costs little for ever. */
const AFTER_CUT_MS = 2_000;
const LONGEST_AFTER_CUT_MS = 300_000;
/** So long it may go on before somebody is told. */
const CUT_FOR_MS = 25_000;

/** Hands a mail to the server, however long it takes; `delayed` hears once that it is taking long, and why. */
export async function handOver(
  send: (input: MailInput & Told) => Promise<MailResult | Delayed>,
  input: MailInput,
  { delayed, uncertain }: { delayed: (why: string) => void; uncertain?: () => void },
): Promise<Exclude<MailResult, { status: 'uncertain' }>> {
  const startedMs = toMs(now());
  for (let waitMs = AFTER_CUT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_AFTER_CUT_MS)) {
    const result = await untilDone(send, input, delayed);
    if (result.status !== 'uncertain') return result;
    uncertain?.();
    if (result.at !== undefined && toMs(result.at) - startedMs >= CUT_FOR_MS) {
      delayed('The connection is cut again and again while the server takes the mail.');
    }
    await sleep(waitMs, { summary: 'before sending the same mail again' });
  }
}
