import { isGrpcServiceError, type Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

/** A closed incident, and with it the guard against its duplicates, is forgotten after this. */
const RETENTION = '90d';

const GRPC_NOT_FOUND = 5;

/** Creates the namespace, or sees to the retention of one that is there. */
export async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  const service = connection.workflowService;
  const retention = msToTs(RETENTION);
  try {
    await service.updateNamespace({ namespace, config: { workflowExecutionRetentionTtl: retention } });
  } catch (error) {
    const code: number | undefined = isGrpcServiceError(error) ? error.code : undefined;
    if (code !== GRPC_NOT_FOUND) throw error;
    await service.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention });
  }
}
