import {
  WorkflowNotFoundError,
  type Client,
  type Workflow,
  type WorkflowExecutionDescription,
  type WorkflowResultType,
} from '@temporalio/client';

/** A workflow that ends with its record, as it can be read right now. */
export type KnownRun<Record> =
  | { state: 'running'; description: WorkflowExecutionDescription }
  | { state: 'ended'; record: Record; description: WorkflowExecutionDescription }
  /** It was stopped from outside: only its last summary is left, until an engineer resets it. */
  | { state: 'stopped'; description: WorkflowExecutionDescription };

/** The workflow's newest run as the server knows it, worker or no worker; undefined when there is none. */
export async function describe(client: Client, workflowId: string): Promise<WorkflowExecutionDescription | undefined> {
  try {
    return await client.workflow.getHandle(workflowId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** The newest run of that id and type; undefined when there is none. */
export async function findRun<W extends Workflow>(
  client: Client,
  type: string,
  id: string,
): Promise<KnownRun<WorkflowResultType<W>> | undefined> {
  const description = await describe(client, id);
  if (description === undefined || description.type !== type) return undefined;
  switch (description.status.name) {
    case 'RUNNING':
    case 'CONTINUED_AS_NEW':
      return { state: 'running', description };
    case 'COMPLETED': {
      // Of this run: another caller may have started the next one meanwhile, whose result is a long way off.
      const handle = client.workflow.getHandle<W>(id, description.runId);
      return { state: 'ended', record: await handle.result(), description };
    }
    default:
      return { state: 'stopped', description };
  }
}
