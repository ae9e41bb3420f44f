import { defaultPayloadConverter, proxySinks, type Sinks, type WorkflowInterceptors } from '@temporalio/workflow';
import { parseTraceparent, stepSpanId, traceparentOf, TRACE_HEADER, type TraceContext } from '../domain/trace.js';
import { isOfNewerVersion } from '../domain/ways.js';

/*
 * What goes for every workflow of this service. Nothing here waits: a promise more would change the order of a run's
 * commands, and with it what stored histories replay.
 */

/** Thrown in a workflow it fails the task, not the workflow: another worker is given the task, until one knows the ways. */
class OfNewerVersion extends Error {
  override name = 'OfNewerVersion';
}

/** What a worker that traces hears of, once, and not on a replay. */
export interface TraceSinks extends Sinks {
  traces: {
    /** The workflow has taken a message: a span of that id, below the one that `traceparent` names. */
    step(step: { traceparent: string; spanId: string; name: string }): void;
  };
}

const { traces } = proxySinks<TraceSinks>();

type Headers = Parameters<NonNullable<Inbound['execute']>>[0]['headers'];
type Inbound = NonNullable<WorkflowInterceptors['inbound']>[number];

/** Which trace the workflow's present work belongs to: that of the message that came last. Without one there is none. */
class Cause {
  private context: TraceContext | undefined;
  private steps = 0;

  take(headers: Headers, name: string): void {
    const before = contextIn(headers);
    if (before === undefined) {
      this.context = undefined;
      return;
    }
    this.steps += 1;
    const spanId = stepSpanId(before.spanId, `${name} ${this.steps}`);
    this.context = { ...before, spanId };
    traces.step({ traceparent: traceparentOf(before), spanId, name });
  }

  /** An input of something that follows from the cause. */
  pass<Input extends { headers: Headers }>(input: Input): Input {
    if (this.context === undefined) return input;
    const carrier = defaultPayloadConverter.toPayload({ traceparent: traceparentOf(this.context) });
    return { ...input, headers: { ...input.headers, [TRACE_HEADER]: carrier } };
  }

  get traceId(): string | undefined {
    return this.context?.traceId;
  }
}

function contextIn(headers: Headers): TraceContext | undefined {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return undefined;
  try {
    const carrier: unknown = defaultPayloadConverter.fromPayload(payload);
    const isCarrier = typeof carrier === 'object' && carrier !== null && 'traceparent' in carrier;
    return isCarrier ? parseTraceparent(carrier.traceparent) : undefined;
  } catch {
    // Whoever may send a message may send this too: no workflow is to stand still because of it.
    return undefined;
  }
}

export function interceptors(): WorkflowInterceptors {
  const cause = new Cause();
  return {
    inbound: [
      {
        execute: (input, next) => {
          if (isOfNewerVersion(input.args)) {
            throw new OfNewerVersion('a newer version began this run: a worker of that version goes on with it');
          }
          cause.take(input.headers, 'RunWorkflow');
          return next(input);
        },
        handleSignal: (input, next) => {
          cause.take(input.headers, `HandleSignal ${input.signalName}`);
          return next(input);
        },
        handleUpdate: (input, next) => {
          cause.take(input.headers, `HandleUpdate ${input.name}`);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(cause.pass(input)),
        scheduleLocalActivity: (input, next) => next(cause.pass(input)),
        signalWorkflow: (input, next) => next(cause.pass(input)),
        getLogAttributes: (input, next) =>
          next(cause.traceId === undefined ? input : { ...input, traceId: cause.traceId }),
      },
    ],
  };
}
