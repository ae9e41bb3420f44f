import type { Credentials } from './credentials.js';
import { defaultCredentials } from './defaults.js';
import { startHttp } from './http/serve.js';
import { startImap } from './imap/server.js';
import type { Watch } from './moments.js';
import { startSmtp } from './smtp/server.js';
import { Timers } from './timers.js';
import { noTrickle, Trickle, type TrickleOptions } from './trickle.js';
import { World } from './world.js';

export type { Credentials } from './credentials.js';
export type { Moment, Watch } from './moments.js';
export type { TrickleOptions } from './trickle.js';
export {
  defaultCredentials,
  defaultHttpPort,
  defaultImapPort,
  defaultMailboxAddress,
  defaultSmtpPort,
} from './defaults.js';

export interface SimulatorOptions extends Partial<Credentials> {
  /** HTTP; 0, the default, is any free port. */
  port?: number;
  smtpPort?: number;
  imapPort?: number;
  /** Alerts that come by themselves; none unless asked for. */
  trickle?: TrickleOptions;
  /** Sees, and may hold, everything that happens outside. */
  watch?: Watch;
}

export interface Simulator {
  url: string;
  port: number;
  smtpPort: number;
  smtpUrl: string;
  imapPort: number;
  /** With a user and a password; any would do. */
  imapUrl: string;
  credentials: Credentials;
  stop: () => Promise<void>;
}

const host = '127.0.0.1';

/** Each has a world of its own; nothing is shared between two. */
export const startSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  const { port = 0, smtpPort = 0, imapPort = 0, trickle: wanted = noTrickle, watch, ...given } = options;
  const credentials: Credentials = { ...defaultCredentials, ...given };
  const world = new World(credentials, watch);
  const http = await startHttp(port, host, world);
  const orStop =
    (...started: { stop: () => Promise<void> }[]) =>
    async (error: unknown): Promise<never> => {
      await Promise.all(started.map(({ stop }) => stop()));
      throw error;
    };
  const smtp = await startSmtp(smtpPort, host, world).catch(orStop(http));
  const imap = await startImap(imapPort, host, world).catch(orStop(http, smtp));
  const trickle = new Trickle(world.tenants, new Timers(), wanted);
  trickle.start();
  return {
    url: `http://${host}:${http.port}`,
    port: http.port,
    smtpPort: smtp.port,
    smtpUrl: `smtp://${host}:${smtp.port}`,
    imapPort: imap.port,
    imapUrl: `imap://mailbox:password@${host}:${imap.port}`,
    credentials,
    stop: async () => {
      trickle.stop();
      const stopped = Promise.all([http.stop(), smtp.stop(), imap.stop()]);
      world.reset();
      await stopped;
    },
  };
};
