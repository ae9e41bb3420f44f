import {
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  makeContinueAsNewFunc,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  workflowInfo,
  type Workflow,
} from '@temporalio/workflow';
import type { z } from 'zod';
import { envelopeSchema } from '../domain/commands.js';
import type { Rejection } from '../domain/errors.js';
import { inputErrors } from '../domain/input.js';
import { toInstant, toMs, type Instant } from '../domain/time.js';

type SearchAttributePairs = Extract<Parameters<typeof upsertSearchAttributes>[0], readonly unknown[]>;

/** Temporal's own clock: the same on every replay. */
export function now(): Instant {
  return toInstant(Date.now());
}

export function failureOf({ code, message, errors }: Rejection): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, details: [errors], nonRetryable: true });
}

/** Refuses what is no command at all: Temporal's own tools may send anything as an Update. */
export function checkEnvelope(command: unknown): void {
  parseCommand(envelopeSchema, command);
}

/** Refuses a command whose body is not of its schema, as Temporal's own tools may send it. */
export function parseCommand<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw failureOf({
    code: 'invalid-input',
    message: 'The command was not understood.',
    errors: inputErrors(parsed.error),
  });
}

/**
 * The one timer of a workflow: set for the next moment at which time alone has something to do, and left alone while
 * that moment stays the same, so that waking often costs no history.
 */
export class Alarm {
  private at: Instant | undefined;
  private scope: CancellationScope | undefined;
  fired = false;

  set(wake: { at: Instant; why: string } | undefined): void {
    const at = wake?.at;
    if (at === this.at && !this.fired) return;
    this.scope?.cancel();
    this.at = at;
    this.fired = false;
    if (wake === undefined) return;
    const scope = new CancellationScope();
    this.scope = scope;
    const waitMs = Math.max(1, toMs(wake.at) - Date.now());
    scope
      .run(() => sleep(waitMs, { summary: wake.why }))
      .then(
        () => {
          if (this.scope === scope) this.fired = true;
        },
        (error: unknown) => {
          if (!isCancellation(error)) throw error;
        },
      );
  }

  stop(): void {
    this.scope?.cancel();
    this.scope = undefined;
    this.at = undefined;
  }
}

/**
 * Goes on in a new run that shows what this one shows now: of itself it would have the memo and the attributes that this
 * one was started with, and whoever reads them would take that for what holds.
 */
export function goOnAsNew<F extends Workflow>(...args: Parameters<F>): Promise<never> {
  const { memo, typedSearchAttributes } = workflowInfo();
  return makeContinueAsNewFunc<F>({ memo, typedSearchAttributes })(...args);
}

/** Shows a workflow's memo to lists, writing history only when something that they show has changed. */
export class Showcase<Memo extends Record<string, unknown>> {
  private shown = '';
  private found = '';

  constructor(
    private readonly searchOf: (memo: Memo) => SearchAttributePairs,
    private readonly digestOf: (memo: Memo) => string,
    /** What the run was started with, so that nothing is written again. */
    initial: Memo | undefined,
  ) {
    if (initial === undefined) return;
    this.shown = digestOf(initial);
    this.found = JSON.stringify(searchOf(initial));
  }

  show(memo: Memo): void {
    const pairs = this.searchOf(memo);
    const found = JSON.stringify(pairs);
    if (found !== this.found) {
      upsertSearchAttributes(pairs);
      this.found = found;
    }
    const shown = this.digestOf(memo);
    if (shown !== this.shown) {
      upsertMemo(memo);
      this.shown = shown;
    }
  }
}
