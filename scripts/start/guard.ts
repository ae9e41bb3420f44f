import { spawn } from 'node:child_process';

/*
 * `guard.ts COMMAND ARGS…`: stands between the supervisor and a program that cannot watch for its end by itself.
 */
const KILL_AFTER_MS = 2_000;

const [, , command = '', ...args] = process.argv;
const program = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => program.kill(signal));
// The leash asks by SIGTERM; this is for a program that does not listen.
process.once('disconnect', () => setTimeout(() => program.kill('SIGKILL'), KILL_AFTER_MS));
process.channel?.unref();

program.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
program.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGTERM' ? 0 : 1)));
