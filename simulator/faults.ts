import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { targets, type Target } from './requests.js';

const needsStatus = ['retryAfterSeconds', 'code'] as const;
const ofHttp = ['method', 'garble', 'code', 'retryAfterSeconds'] as const;

export const garblings = ['html', 'empty', 'truncated', 'huge'] as const;
export type Garbling = (typeof garblings)[number];

/** Where in a session the mail server makes trouble. */
export const smtpStages = ['connect', 'auth', 'mail', 'rcpt', 'data'] as const;
export type SmtpStage = (typeof smtpStages)[number];

export const faultSchema = z
  .strictObject({
    target: z.enum(targets),
    /** Part of the request's path, or with `$` after it the path's end; for smtp, of the addresses; for imap, of the command. */
    path: z.string().min(1).optional(),
    method: z.string().min(1).optional(),
    /** For defender: the tenant that the token is for. */
    tenantId: z.string().min(1).optional(),
    /** For twilio: the number that is called. */
    number: z.string().min(1).optional(),
    stage: z.enum(smtpStages).optional(),
    times: z.int().min(1).default(1),
    status: z.int().min(200).max(599).optional(),
    retryAfterSeconds: z.number().min(0).optional(),
    dropAfterAccept: z.boolean().optional(),
    delayMs: z.int().min(0).optional(),
    body: z.string().optional(),
    garble: z.enum(garblings).optional(),
    code: z.union([z.string().min(1), z.int()]).optional(),
    /** Nobody listens for so long: every target on that port is gone. */
    refuseMs: z.int().min(1).optional(),
  })
  .superRefine((fault, context) => {
    const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    const answers = fault.status !== undefined || fault.body !== undefined || fault.garble !== undefined;
    if (fault.dropAfterAccept === true && answers)
      complain('dropAfterAccept', 'A dropped connection has no answer: leave out status, body and garble.');
    for (const name of needsStatus)
      if (fault[name] !== undefined && fault.status === undefined) complain(name, `${name} needs a status.`);
    if (fault.garble !== undefined && fault.body !== undefined)
      complain('garble', 'A body is sent as it is: leave out one of the two.');
    if (fault.refuseMs !== undefined && (answers || fault.delayMs !== undefined || fault.dropAfterAccept === true))
      complain('refuseMs', 'Where nobody listens nothing else can happen.');
    if (fault.tenantId !== undefined && fault.target !== 'defender') complain('tenantId', 'Only Defender has tenants.');
    if (fault.number !== undefined && fault.target !== 'twilio') complain('number', 'Only Twilio calls numbers.');
    if (fault.target !== 'smtp' && fault.stage !== undefined) complain('stage', 'Only SMTP has stages.');
    if (fault.target !== 'smtp' && fault.target !== 'imap') return;
    const server = fault.target.toUpperCase();
    for (const name of ofHttp) if (fault[name] !== undefined) complain(name, `${server} has no ${name}.`);
    if (fault.status !== undefined && fault.status < 400) complain('status', `${server} refuses with 4xx or 5xx.`);
    if (fault.status === undefined && fault.body !== undefined)
      complain('status', `${server} refuses with 4xx or 5xx: a body needs one.`);
    if (fault.target === 'smtp' && fault.dropAfterAccept === true && (fault.stage ?? 'data') !== 'data')
      complain('dropAfterAccept', 'Nothing is accepted before the end of DATA.');
  });

export type Fault = z.infer<typeof faultSchema>;
export interface ActiveFault extends Fault {
  id: string;
}

/** A request as faults are matched against it. */
export interface Asked {
  path: string;
  method?: string;
  tenantId?: string | undefined;
  number?: string | undefined;
  stage?: SmtpStage;
}

/** Neither an answer nor the work nor patience was asked for: the connection is reset before anything happens. */
export const isReset = (fault: Fault): boolean =>
  fault.status === undefined &&
  fault.body === undefined &&
  fault.garble === undefined &&
  fault.dropAfterAccept !== true &&
  fault.delayMs === undefined;

const fitsPath = (wanted: string, path: string): boolean =>
  wanted.endsWith('$') ? path.endsWith(wanted.slice(0, -1)) : path.includes(wanted);

const fits = (fault: Fault, target: Target, asked: Asked): boolean =>
  fault.target === target &&
  (fault.path === undefined || fitsPath(fault.path, asked.path)) &&
  (fault.method === undefined || fault.method === asked.method) &&
  (fault.tenantId === undefined || fault.tenantId === asked.tenantId) &&
  (fault.number === undefined || fault.number === asked.number) &&
  (target !== 'smtp' || (fault.stage ?? 'data') === asked.stage);

export class Faults {
  #left: ActiveFault[] = [];

  add(fault: Fault): ActiveFault {
    const active = { ...fault, id: randomUUID() };
    this.#left.push(active);
    return { ...active };
  }

  /** The oldest fault that fits, used up by one. */
  take(target: Target, asked: Asked): Fault | undefined {
    const fault = this.#left.find((candidate) => fits(candidate, target, asked));
    if (fault === undefined) return undefined;
    fault.times -= 1;
    if (fault.times === 0) this.remove(fault.id);
    return fault;
  }

  /** @returns whether there was one */
  remove(id: string): boolean {
    const before = this.#left.length;
    this.#left = this.#left.filter((fault) => fault.id !== id);
    return this.#left.length < before;
  }

  list(): ActiveFault[] {
    return this.#left;
  }

  reset(): void {
    this.#left = [];
  }
}
