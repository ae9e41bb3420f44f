import { Client, type Connection, type ConnectionOptions, type WorkflowClientInterceptor } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
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

/** Temporal's own variables and profiles: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*. */
export function temporalConfig(): TemporalConfig {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return {
    connectionOptions,
    clientOptions: { ...connectionOptions, channelArgs: RECONNECT },
    namespace: namespace ?? 'default',
  };
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
