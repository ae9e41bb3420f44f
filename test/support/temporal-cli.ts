import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { temporalBinary } from '../../scripts/temporal-binaries.js';

const run = promisify(execFile);

/** Temporal's own CLI against a test's server, as an operator would use it. Fails when the CLI does. */
export async function temporalCli(environment: TestWorkflowEnvironment, ...args: string[]): Promise<string> {
  const { path } = await temporalBinary('cli');
  const { stdout, stderr } = await run(
    path,
    [...args, '--address', environment.address, '--namespace', environment.namespace ?? 'default'],
    { timeout: 20_000 },
  );
  return `${stdout}${stderr}`;
}

export function signalByCli(
  environment: TestWorkflowEnvironment,
  workflowId: string,
  name: string,
  input?: unknown,
  ...more: string[]
): Promise<string> {
  const text = typeof input === 'string' ? input : JSON.stringify(input);
  return temporalCli(
    environment,
    'workflow',
    'signal',
    '--workflow-id',
    workflowId,
    '--name',
    name,
    ...(input === undefined ? [] : ['--input', text]),
    ...more,
  );
}

/** Tasks of the workflow that failed: a workflow that is well has none. */
export async function failedTasks(environment: TestWorkflowEnvironment, workflowId: string): Promise<string[]> {
  const { events } = await environment.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    failed == null ? [] : [failed.failure?.message ?? 'failed'],
  );
}
