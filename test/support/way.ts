import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server on this machine that can be closed for a while, with all who are on it. */
export class Way {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private isOpen = true;

  private constructor(private readonly farPort: number) {
    this.server = createServer((near) => this.lead(near));
  }

  static async to(farPort: number): Promise<Way> {
    const way = new Way(farPort);
    way.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => way.server.once('listening', resolve));
    return way;
  }

  get port(): number {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('There is no port.');
    return address.port;
  }

  private lead(near: Socket): void {
    if (!this.isOpen) {
      near.destroy();
      return;
    }
    const far = connect(this.farPort, '127.0.0.1');
    this.join(near, far);
    this.join(far, near);
  }

  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.on('error', () => undefined);
    from.once('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }

  close(): void {
    this.isOpen = false;
    for (const socket of this.sockets) socket.destroy();
  }

  open(): void {
    this.isOpen = true;
  }

  async end(): Promise<void> {
    this.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
