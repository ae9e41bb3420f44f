import { Client, type Connection, type ConnectionOptions, type WorkflowClientInterceptor } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { isLoopback } from '../domain/hosts.js';
import type { Sealing } from '../domain/sealing.js';
import { dataConverterOf } from './data-converter.js';

export interface TemporalConfig {
  /** For `NativeConnection.connect`. */
  connectionOptions: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
  /** For `Connection`. */
  clientOptions: ConnectionOptions;
  namespace: string;
}

/** gRPC's own pause grows to two minutes: after a long outage nobody would be served for that long. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 500, 'grpc.max_reconnect_backoff_ms': 3_000 };

/**
 * Temporal's own variables and profiles: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*.
 * @throws where they would have a key sent in the clear
 */
export function temporalConfig(): TemporalConfig {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  if (connectionOptions.apiKey !== undefined && connectionOptions.tls === false) {
    throw new Error(
      'TEMPORAL_API_KEY is set, and TEMPORAL_TLS turns off what would keep it from being read on the way',
    );
  }
  return {
    connectionOptions,
    clientOptions: { ...connectionOptions, channelArgs: RECONNECT },
    namespace: namespace ?? 'default',
  };
}

/** What to say at the start where others may listen on the way to Temporal; undefined where it has TLS, or is on this machine. */
export function plainConnection({
  connectionOptions: { address = 'localhost', tls },
}: TemporalConfig): string | undefined {
  if ((tls ?? false) !== false || isLoopback(address.replace(/:\d+$/, ''))) return undefined;
  return 'TEMPORAL_ADDRESS is another machine, and the connection to it is plain: set TEMPORAL_TLS=true, unless nobody else is on that network';
}

/** The API's client: a workflow that has ended is read by its result, not by running all of it again for a query. */
export function createApiClient(
  connection: Connection,
  namespace: string,
  sealing: Sealing | undefined,
  /** Undefined: nobody traces. */
  tracing?: WorkflowClientInterceptor,
): Client {
  return new Client({
    connection,
    namespace,
    dataConverter: dataConverterOf(sealing),
    workflow: { queryRejectCondition: 'NOT_OPEN' },
    ...withTracing(tracing),
  });
}

/** Of a client's options, what has it trace. */
export function withTracing(tracing: WorkflowClientInterceptor | undefined) {
  return tracing === undefined ? {} : { interceptors: { workflow: [tracing] } };
}
