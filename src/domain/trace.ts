/*
 * W3C trace context, as workflows carry it on: from the message that came in to the activities that follow from it. It names a
 * trace and a span, and nothing else.
 * Source: w3.org, "Trace Context", traceparent.
 */

/** The header under which Temporal's SDKs hand it on. */
export const TRACE_HEADER = '_tracer-data';

export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  isSampled: boolean;
}

export function traceparentOf({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

export function parseTraceparent(text: unknown): TraceContext | undefined {
  const [, traceId, spanId, flags] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(typeof text === 'string' ? text : '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/**
 * The id of a workflow's step that follows from `spanId`. Worked out, not drawn by lot: a replay comes to the same, and what the
 * workflow draws by lot stays as it was.
 */
export function stepSpanId(spanId: string, step: string): string {
  const halves = [0x811c9dc5, 0x01000193].map((seed) => fnv1a(`${spanId} ${step}`, seed));
  return halves.map((half) => half.toString(16).padStart(8, '0')).join('');
}

function fnv1a(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
