import { createServer, type Socket } from 'node:net';
import { Door } from '../door.js';
import { Timers } from '../timers.js';
import { ImapSession, type ImapWorld } from './session.js';

export interface RunningImap {
  port: number;
  stop: () => Promise<void>;
}

export const startImap = async (
  port: number,
  host: string,
  world: ImapWorld & { doors: { imap?: Door } },
): Promise<RunningImap> => {
  const timers = new Timers();
  const sockets = new Set<Socket>();

  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // Clients that vanish are daily business of a mail server.
    socket.on('error', () => undefined);
    const session = new ImapSession(socket, world, timers);
    session.serve().catch(() => session.cut());
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The IMAP server does not listen on a port.');

  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const door = new Door(server, { port: address.port, host }, cutAll);
  world.doors.imap = door;

  return {
    port: address.port,
    stop: async () => {
      timers.dropAll();
      await door.shutForGood();
    },
  };
};
