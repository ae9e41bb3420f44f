import { diag, DiagLogLevel } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { oneLine } from './domain/text.js';
import { createTracing, type SpanIds, type Tracing } from './temporal/tracing.js';
import { VERSION } from './version.js';

export interface RunningTracing extends Tracing {
  /** Sends what has not been sent. */
  close: () => Promise<void>;
}

/**
 * Begins to hand spans on by OTLP over HTTP, to where OpenTelemetry's own variables say. Its packages are loaded here and not
 * before: a process that does not trace pays nothing for them.
 */
export async function startTracing(service: string, log: Pick<Logger, 'warn'>): Promise<RunningTracing> {
  const [{ BatchSpanProcessor, NodeTracerProvider, RandomIdGenerator }, { OTLPTraceExporter }, resources] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ]);
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = resources;
  // The first word alone: what follows may quote what a collector has answered.
  const told = (message: string): void => log.warn({ otel: oneLine(message, 200) }, 'traces cannot be handed on');
  const silent = (): void => undefined;
  diag.setLogger(
    { error: told, warn: silent, info: silent, debug: silent, verbose: silent },
    { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true },
  );
  const random = new RandomIdGenerator();
  const ids: SpanIds = { nextSpanId: undefined };
  const provider = new NodeTracerProvider({
    // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win. Nothing of this machine, of its user and of its arguments is told.
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': service, 'service.version': VERSION }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    idGenerator: {
      generateTraceId: () => random.generateTraceId(),
      generateSpanId: () => {
        const { nextSpanId } = ids;
        ids.nextSpanId = undefined;
        return nextSpanId ?? random.generateSpanId();
      },
    },
  });
  // No propagator: what others send as their trace is not taken over, and nothing of ours goes to Defender or Twilio.
  provider.register({ propagator: null });
  return { ...createTracing(ids), close: () => provider.shutdown() };
}
