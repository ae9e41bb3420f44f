import type { Credentials } from './credentials.js';
import { defaultCredentials } from './defaults.js';
import { startHttp } from './http/serve.js';
import { startSmtp } from './smtp/server.js';
import { World } from './world.js';

export type { Credentials } from './credentials.js';
export { defaultCredentials, defaultHttpPort, defaultSmtpPort } from './defaults.js';

export interface SimulatorOptions extends Partial<Credentials> {
  /** HTTP; 0, the default, is any free port. */
  port?: number;
  smtpPort?: number;
}

export interface Simulator {
  url: string;
  port: number;
  smtpPort: number;
  smtpUrl: string;
  credentials: Credentials;
  stop: () => Promise<void>;
}

const host = '127.0.0.1';

/** Each has a world of its own; nothing is shared between two. */
export const startSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  const { port = 0, smtpPort = 0, ...given } = options;
  const credentials: Credentials = { ...defaultCredentials, ...given };
  const world = new World(credentials);
  const http = await startHttp(port, host, world);
  const smtp = await startSmtp(smtpPort, host, world).catch(async (error: unknown) => {
    await http.stop();
    throw error;
  });
  return {
    url: `http://${host}:${http.port}`,
    port: http.port,
    smtpPort: smtp.port,
    smtpUrl: `smtp://${host}:${smtp.port}`,
    credentials,
    stop: async () => {
      world.reset();
      await Promise.all([http.stop(), smtp.stop()]);
    },
  };
};
