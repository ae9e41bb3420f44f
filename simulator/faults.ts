import { z } from 'zod';
import { targets, type Target } from './requests.js';

const needsStatus = ['retryAfterSeconds', 'code'] as const;

export const faultSchema = z
  .strictObject({
    target: z.enum(targets),
    /** Part of the request's path; for smtp, of the recipients. */
    path: z.string().min(1).optional(),
    times: z.int().min(1).default(1),
    status: z.int().min(200).max(599).optional(),
    retryAfterSeconds: z.number().min(0).optional(),
    dropAfterAccept: z.boolean().optional(),
    delayMs: z.int().min(0).optional(),
    body: z.string().optional(),
    code: z.union([z.string().min(1), z.int()]).optional(),
  })
  .superRefine((fault, context) => {
    const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (fault.dropAfterAccept === true && (fault.status !== undefined || fault.body !== undefined))
      complain('dropAfterAccept', 'A dropped connection has no answer: leave out status and body.');
    for (const name of needsStatus)
      if (fault[name] !== undefined && fault.status === undefined) complain(name, `${name} needs a status.`);
    if (fault.target === 'smtp' && fault.status !== undefined && fault.status < 400)
      complain('status', 'SMTP refuses with 4xx or 5xx.');
    if (fault.target === 'smtp' && fault.status === undefined && fault.body !== undefined)
      complain('status', 'SMTP refuses with 4xx or 5xx: a body needs one.');
  });

export type Fault = z.infer<typeof faultSchema>;

/** Neither an answer nor the work nor patience was asked for: the connection is reset before anything happens. */
export const isReset = (fault: Fault): boolean =>
  fault.status === undefined &&
  fault.body === undefined &&
  fault.dropAfterAccept !== true &&
  fault.delayMs === undefined;

export class Faults {
  #left: Fault[] = [];

  add(fault: Fault): void {
    this.#left.push({ ...fault });
  }

  /** The oldest fault that fits, used up by one. */
  take(target: Target, path: string): Fault | undefined {
    const fault = this.#left.find(
      (candidate) => candidate.target === target && (candidate.path === undefined || path.includes(candidate.path)),
    );
    if (fault === undefined) return undefined;
    fault.times -= 1;
    if (fault.times === 0) this.#left = this.#left.filter((candidate) => candidate !== fault);
    return fault;
  }

  list(): Fault[] {
    return this.#left;
  }

  reset(): void {
    this.#left = [];
  }
}
