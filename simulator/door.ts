import type { Server } from 'node:net';

/** Whether anybody listens on a port: shut, new connections are refused, and those there were are cut. */
export class Door {
  #opening: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: Server,
    private readonly address: { port: number; host: string },
    private readonly cutAll: () => void,
  ) {}

  shut(forMs: number): void {
    clearTimeout(this.#opening);
    if (this.#opening === undefined) this.server.close();
    this.cutAll();
    this.#opening = setTimeout(() => this.open(), forMs);
  }

  open(): void {
    if (this.#opening === undefined) return;
    clearTimeout(this.#opening);
    this.#opening = undefined;
    this.server.listen(this.address.port, this.address.host);
  }

  async shutForGood(): Promise<void> {
    clearTimeout(this.#opening);
    this.#opening = undefined;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.cutAll();
    await closed;
  }
}
