import { trace } from '@opentelemetry/api';
import { pino, type Logger } from 'pino';

/** The trace that is under way, for a line to name it. */
export function traceFields(): { traceId?: string } {
  const traceId = trace.getActiveSpan()?.spanContext().traceId;
  return traceId === undefined ? {} : { traceId };
}

/** JSON lines on stdout; whatever looks like a secret never reaches them. */
export function createLogger(level: string): Logger {
  return pino({
    level,
    base: {},
    mixin: traceFields,
    // As Temporal's SDK calls it, beside our own `err`.
    serializers: { error: pino.stdSerializers.err },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        'req.headers.authorization',
        'req.headers.cookie',
        '*.authorization',
        '*.password',
        '*.secret',
        '*.token',
      ],
      censor: '[redacted]',
    },
  });
}
