import { isMainThread } from 'node:worker_threads';

/*
 * Plain JavaScript: a worker thread inherits the flag that loads it, but not the loader that reads TypeScript.
 *
 * Loaded into every child before its own code. When the supervisor is gone, however it went, the channel to it closes
 * and the child ends itself as if asked to.
 */
const DRAIN_TIMEOUT_MS = 8_000;

if (isMainThread) {
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), DRAIN_TIMEOUT_MS).unref();
  });
  // Listening must not keep a child alive that has nothing else to do.
  process.channel?.unref();
}
