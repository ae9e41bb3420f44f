import type { Socket } from 'node:net';

const lineLimitBytes = 1024 * 1024;
const literalLimitBytes = 50 * 1024 * 1024;

/** Thrown where what follows on the connection can no longer be told from anything else. */
export class WireError extends Error {}

/** What a client writes, by the line or by the number of bytes. */
export class Wire {
  #buffered = Buffer.alloc(0);
  readonly #chunks: AsyncIterator<unknown, unknown>;

  constructor(private readonly socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  /** Without its end; null once the client has gone. */
  async line(): Promise<Buffer | null> {
    for (;;) {
      const end = this.#buffered.indexOf('\n');
      if (end >= 0) {
        const line = this.#take(end + 1).subarray(0, end);
        return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
      }
      if (this.#buffered.length > lineLimitBytes) throw new WireError('The line is too long');
      if (!(await this.#more())) return null;
    }
  }

  async bytes(count: number): Promise<Buffer | null> {
    if (count > literalLimitBytes) throw new WireError('The literal is too long');
    const chunks: Buffer[] = [this.#take(Math.min(count, this.#buffered.length))];
    let missing = count - (chunks[0]?.length ?? 0);
    while (missing > 0) {
      if (!(await this.#more())) return null;
      const chunk = this.#take(Math.min(missing, this.#buffered.length));
      chunks.push(chunk);
      missing -= chunk.length;
    }
    return Buffer.concat(chunks);
  }

  write(...parts: readonly (string | Buffer)[]): void {
    if (this.socket.destroyed || this.socket.writableEnded) return;
    this.socket.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))));
  }

  #take(count: number): Buffer {
    const taken = this.#buffered.subarray(0, count);
    this.#buffered = this.#buffered.subarray(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    try {
      const { value, done } = await this.#chunks.next();
      if (done === true || !Buffer.isBuffer(value)) return false;
      this.#buffered = Buffer.concat([this.#buffered, value]);
      return true;
    } catch {
      // A connection that is cut ends the iteration with an error.
      return false;
    }
  }
}
