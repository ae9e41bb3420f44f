import { Client, type Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';

export interface TemporalConfig {
  /** For `Connection.connect` and `NativeConnection.connect` alike. */
  connectionOptions: ReturnType<typeof loadClientConnectConfig>['connectionOptions'];
  namespace: string;
}

/** Temporal's own variables and profiles: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*. */
export function temporalConfig(): TemporalConfig {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  return { connectionOptions, namespace: namespace ?? 'default' };
}

/** The API's client: a workflow that has ended is read by its result, not by running all of it again for a query. */
export function createApiClient(connection: Connection, namespace: string): Client {
  return new Client({ connection, namespace, workflow: { queryRejectCondition: 'NOT_OPEN' } });
}
