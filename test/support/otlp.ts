import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

/* A collector of traces: takes OTLP over HTTP, and keeps every word. */

const attributeSchema = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) });
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  attributes: z.array(attributeSchema).default([]),
});
const exportSchema = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(attributeSchema) }),
      scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })),
    }),
  ),
});

export interface Span {
  service: unknown;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  attributes: Record<string, unknown>;
}

function valuesOf(attributes: z.infer<typeof attributeSchema>[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

export class Collector {
  readonly bodies: string[] = [];
  readonly paths: string[] = [];
  readonly spans: Span[] = [];
  private readonly server: Server;
  port = 0;

  private constructor() {
    this.server = createServer((request, response) => {
      void text(request).then((body) => {
        this.take(request.url ?? '', body);
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.server.listen(0, '127.0.0.1', resolve));
    const address = collector.server.address();
    if (address !== null && typeof address !== 'string') collector.port = address.port;
    return collector;
  }

  private take(path: string, body: string): void {
    this.paths.push(path);
    this.bodies.push(body);
    for (const { resource, scopeSpans } of exportSchema.parse(JSON.parse(body)).resourceSpans) {
      const service = valuesOf(resource.attributes)['service.name'];
      for (const { parentSpanId, attributes, ...span } of scopeSpans.flatMap(({ spans }) => spans)) {
        const parent = parentSpanId === '' ? undefined : parentSpanId;
        this.spans.push({ service, parentSpanId: parent, ...span, attributes: valuesOf(attributes) });
      }
    }
  }

  /** From the first span of its trace down to this one. */
  chainTo(span: Span): Span[] {
    const above = this.spans.find(({ traceId, spanId }) => traceId === span.traceId && spanId === span.parentSpanId);
    return above === undefined ? [span] : [...this.chainTo(above), span];
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}
