import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Logger } from 'pino';
import { z } from 'zod';
import { sentInstantSchema } from '../domain/time.js';
import { operatorRoles } from '../operators.js';

/*
 * Who has commanded what, and what was answered: one line of JSON for each, on stdout and in a file that only grows.
 * A line holds no body: what a command has said stands on the timeline of what it was said to.
 */

export const auditEntrySchema = z
  .object({
    at: sentInstantSchema,
    requestId: z.string(),
    /** Null where nobody has proved to be somebody. */
    operator: z.string().nullable(),
    role: z.enum(operatorRoles).nullable(),
    from: z.string().meta({ description: 'The address that the request came from.' }),
    command: z.string().meta({ description: 'Method and route, such as `POST /v1/incidents/:id/triage`.' }),
    path: z.string(),
    customerId: z.string().nullable().meta({ description: 'Whose it was, as far as the path says.' }),
    outcome: z
      .enum(['accepted', 'refused', 'unknown'])
      .meta({ description: '`unknown`: the caller was gone before the answer.' }),
    status: z.int(),
    code: z.string().nullable().meta({ description: 'Why it was refused.' }),
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export interface AuditPage {
  items: AuditEntry[];
  /** Where the next page ends, in bytes; undefined at the beginning of the file. */
  before: number | undefined;
}

export interface AuditLog {
  write(entry: AuditEntry): void;
  /** The newest first, those before `before` (bytes) that are wanted; undefined where there is no file. */
  read(wanted: (entry: AuditEntry) => boolean, limit: number, before: number | undefined): AuditPage | undefined;
}

const BLOCK_BYTES = 65_536;
/** One answer looks through no more than this; the next page goes on. */
const MOST_BYTES = 16 * 1024 * 1024;
const NEW_LINE = 10;

/** @throws where the file cannot be written to: whoever starts has to know */
export function createAuditLog(file: string | undefined, log: Logger): AuditLog {
  // Its owner only: addresses and names are in it.
  if (file !== undefined) closeSync(openSync(file, 'a', 0o600));
  // At a level of its own: LOG_LEVEL is for what is of use, and this has to be there.
  const audit = log.child({}, { level: 'info' });
  return {
    write(entry) {
      audit.info({ audit: entry }, 'command');
      if (file === undefined) return;
      try {
        appendFileSync(file, `${JSON.stringify(entry)}\n`);
      } catch (error) {
        // The command has been carried out, and its line stands on stdout.
        log.error({ err: error, file }, 'the audit file cannot be written');
      }
    },
    read(wanted, limit, before) {
      return file === undefined ? undefined : readBackwards(file, wanted, limit, before);
    },
  };
}

function readBackwards(
  file: string,
  wanted: (entry: AuditEntry) => boolean,
  limit: number,
  before: number | undefined,
): AuditPage {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const items: AuditEntry[] = [];
    const first = Math.min(before ?? size, size);
    /** Where the line that is being read ends, in bytes. */
    let end = first;
    /** What has been read of it, from `start`. */
    let start = first;
    let text = Buffer.alloc(0);
    while (items.length < limit && first - end < MOST_BYTES) {
      const lineStart = text.subarray(0, Math.max(0, end - start - 1)).lastIndexOf(NEW_LINE) + 1;
      if (lineStart > 0 || (start === 0 && end > 0)) {
        const entry = entryOf(text.subarray(lineStart, end - start));
        if (entry !== undefined && wanted(entry)) items.push(entry);
        end = start + lineStart;
        continue;
      }
      if (start === 0) break;
      const more = Math.min(BLOCK_BYTES, start);
      const block = Buffer.alloc(more);
      readSync(descriptor, block, 0, more, start - more);
      text = Buffer.concat([block, text.subarray(0, end - start)]);
      start -= more;
    }
    return { items, before: end === 0 ? undefined : end };
  } finally {
    closeSync(descriptor);
  }
}

/** A line that was cut by a full disk is no entry. */
function entryOf(line: Buffer): AuditEntry | undefined {
  try {
    return auditEntrySchema.safeParse(JSON.parse(line.toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
