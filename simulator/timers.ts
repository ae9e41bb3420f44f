/** Timers with one owner, so that all of them can be dropped together. */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>();

  /** @returns a function that calls it off */
  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.#pending.delete(timer);
      run();
    }, delayMs);
    this.#pending.add(timer);
    return () => {
      clearTimeout(timer);
      this.#pending.delete(timer);
    };
  }

  /** Never settles when the timers are dropped in the meantime. */
  async sleep(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => this.after(delayMs, resolve));
  }

  dropAll(): void {
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
