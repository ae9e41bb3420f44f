export const targets = ['defender', 'entra', 'imap', 'smtp', 'twilio'] as const;
export type Target = (typeof targets)[number];

export interface RequestEntry {
  at: string;
  target: Target;
  method: string;
  path: string;
  tenantId?: string;
  /** null: not answered yet, or the connection was cut instead. */
  status: number | null;
}

/** Every request of the real protocols that reached the simulator, answered or not. */
export class RequestLog {
  #entries: RequestEntry[] = [];

  /** The entry is there from arrival on; whoever answers fills in the rest. */
  begin(target: Target, method: string, path: string): RequestEntry {
    const entry: RequestEntry = { at: new Date().toISOString(), target, method, path, status: null };
    this.#entries.push(entry);
    return entry;
  }

  list(target: Target | undefined): RequestEntry[] {
    return this.#entries.filter((entry) => target === undefined || entry.target === target);
  }

  reset(): void {
    this.#entries = [];
  }
}
