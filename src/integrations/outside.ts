import { SpanKind, SpanStatusCode, trace, type Attributes } from '@opentelemetry/api';

/*
 * Calls to the world outside as spans of what is under way. A span says to whom, how and how it went: no address, no text, no
 * parameter of a query.
 */

const tracer = trace.getTracer('mimamori');

/**
 * Makes the call, as a span where one is under way: what nobody has asked for (a poll, a look) is no trace of its own.
 *
 * @param shown what of the answer the span shows
 */
export async function outside<T>(
  name: string,
  attributes: Attributes,
  call: () => Promise<T>,
  shown?: (result: T) => Attributes,
): Promise<T> {
  if (trace.getActiveSpan() === undefined) return call();
  const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes });
  try {
    const result = await call();
    if (shown !== undefined) span.setAttributes(shown(result));
    return result;
  } catch (error) {
    // The kind alone: messages quote what the other side has said.
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
    throw error;
  } finally {
    span.end();
  }
}

/** A path with everything that names somebody or something taken out: `/api/machines/{id}/isolate`. */
export function pathTemplate(path: string): string {
  const [bare = ''] = path.split('?', 1);
  return bare
    .split('/')
    .map((segment) =>
      /^(?:[a-zA-Z]{1,30}(?:\.json)?|v\d(?:\.\d)?|\d{4}-\d\d-\d\d|)$/.test(segment) ? segment : '{id}',
    )
    .join('/');
}
