import { TestWorkflowEnvironment } from '@temporalio/testing';

/** `sdk-download.ts cli|test-server FOLDER`: lets @temporalio/testing download the server into the folder and start it once. */
const [, , binary, downloadDir] = process.argv;

try {
  const executable = { type: 'cached-download', downloadDir } as const;
  const environment =
    binary === 'cli'
      ? await TestWorkflowEnvironment.createLocal({ server: { executable } })
      : await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  await environment.teardown();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)}\n`);
  process.exitCode = 1;
}
