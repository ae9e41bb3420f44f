import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startSimulator } from './index.js';
import { send } from './testing.js';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Ended {
  code: number | null;
  output: string;
}

describe('Simulator', () => {
  const start = (
    environment: Record<string, string>,
  ): { child: ChildProcess; ended: Promise<Ended>; ready: Promise<string> } => {
    const child = spawn(process.execPath, ['--import', 'tsx', program], {
      env: { ...process.env, SIMULATOR_PORT: '0', SIMULATOR_SMTP_PORT: '0', SIMULATOR_IMAP_PORT: '0', ...environment },
    });
    let output = '';
    const ready = new Promise<string>((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (chunk: string) => {
          output += chunk;
          resolve(output);
        });
    });
    const ended = once(child, 'close').then(() => ({ code: child.exitCode, output }));
    return { child, ended, ready };
  };

  it('prints one line when it is ready, and ends on SIGTERM', async () => {
    const { child, ended, ready } = start({});
    const line = await ready;
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0] ?? '';
    assert.equal((await send('GET', `${url}/sim`)).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, { code: 0, output: line });
    assert.equal(line.trimEnd().split('\n').length, 1);
  });

  it('names the variable for a port in use', async () => {
    const other = await startSimulator();
    const http = start({ SIMULATOR_PORT: String(other.port) });
    const smtp = start({ SIMULATOR_SMTP_PORT: String(other.smtpPort) });
    const imap = start({ SIMULATOR_IMAP_PORT: String(other.imapPort) });
    const [httpEnded, smtpEnded, imapEnded] = await Promise.all([http.ended, smtp.ended, imap.ended]);
    await other.stop();
    assert.equal(httpEnded.code, 1);
    assert.match(httpEnded.output, new RegExp(`Port ${other.port} is in use: set SIMULATOR_PORT`));
    assert.equal(smtpEnded.code, 1);
    assert.match(smtpEnded.output, new RegExp(`Port ${other.smtpPort} is in use: set SIMULATOR_SMTP_PORT`));
    assert.equal(imapEnded.code, 1);
    assert.match(imapEnded.output, new RegExp(`Port ${other.imapPort} is in use: set SIMULATOR_IMAP_PORT`));
  });

  it('names a setting that is wrong', async () => {
    const { code, output } = await start({ SIMULATOR_PORT: 'ninety' }).ended;
    assert.equal(code, 1);
    assert.match(output, /SIMULATOR_PORT/);
  });

  it('stops at once, whatever is open or under way', async () => {
    const simulator = await startSimulator();
    const fault = { target: 'entra', times: 1, delayMs: 60_000 };
    await send('POST', `${simulator.url}/sim/faults`, { json: fault });
    const pending = send('POST', `${simulator.url}/t/oauth2/v2.0/token`).then(
      () => 'answered',
      () => 'cut',
    );
    await send('GET', `${simulator.url}/sim`);
    const startedMs = performance.now();
    await simulator.stop();
    assert.ok(performance.now() - startedMs < 1000);
    assert.equal(await pending, 'cut');
  });
});
