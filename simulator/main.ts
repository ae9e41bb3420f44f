import { z } from 'zod';
import { startSimulator } from './index.js';
import { readSettings } from './settings.js';

const listenErrorSchema = z.object({ code: z.enum(['EADDRINUSE', 'EACCES']), port: z.number() });

const explain = (error: unknown, ports: { smtpPort: number; imapPort: number }): string => {
  const listening = listenErrorSchema.safeParse(error).data;
  if (listening === undefined) return error instanceof Error ? error.message : String(error);
  const variables = new Map([
    [ports.smtpPort, 'SIMULATOR_SMTP_PORT'],
    [ports.imapPort, 'SIMULATOR_IMAP_PORT'],
  ]);
  const variable = variables.get(listening.port) ?? 'SIMULATOR_PORT';
  const problem = listening.code === 'EADDRINUSE' ? 'is in use' : 'must not be used';
  return `Port ${listening.port} ${problem}: set ${variable} to another one.`;
};

const main = async (): Promise<void> => {
  const settings = readSettings(process.env);
  const simulator = await startSimulator(settings).catch((error: unknown) => {
    throw new Error(explain(error, settings));
  });
  let isStopping = false;
  const stop = (): void => {
    // Ctrl-C reaches the whole process group, and the parent may well add its own signal.
    if (isStopping) return;
    isStopping = true;
    simulator.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  console.log(`Simulator: ${simulator.url}/sim, ${simulator.smtpUrl}, imap://127.0.0.1:${simulator.imapPort}`);
};

main().catch((error: unknown) => {
  console.error(`Simulator: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
