/** The one mailbox of the simulator, with its folders; all sessions look at the same. */

export interface Message {
  uid: number;
  readonly bytes: Buffer;
  readonly receivedAt: Date;
  readonly flags: Set<string>;
}

export interface NewMessage {
  bytes: Buffer;
  flags?: Iterable<string>;
  receivedAt?: Date;
}

export const inbox = 'INBOX';

/** INBOX is the only name whose case does not count. */
const keyOf = (name: string): string => (name.toUpperCase() === inbox ? inbox : name);

export class Folder {
  messages: Message[] = [];
  uidNext = 1;

  constructor(
    readonly name: string,
    public uidValidity: number,
    private readonly changed: () => void,
  ) {}

  add({ bytes, flags = [], receivedAt = new Date() }: NewMessage): Message {
    const message = { uid: this.uidNext, bytes, receivedAt, flags: new Set(flags) };
    this.uidNext += 1;
    this.messages.push(message);
    this.changed();
    return message;
  }

  remove(removed: readonly Message[]): void {
    const gone = new Set(removed);
    this.messages = this.messages.filter((message) => !gone.has(message));
    this.changed();
  }

  /** Says so to all who look at it. */
  touch(): void {
    this.changed();
  }
}

export class Mailbox {
  #folders = new Map<string, Folder>();
  #lastUidValidity = 0;
  readonly #watchers = new Set<() => void>();

  constructor() {
    this.create(inbox);
  }

  folder(name: string): Folder | undefined {
    return this.#folders.get(keyOf(name));
  }

  folders(): Folder[] {
    return [...this.#folders.values()];
  }

  get inbox(): Folder {
    return this.folder(inbox) ?? this.create(inbox);
  }

  create(name: string): Folder {
    const folder = new Folder(keyOf(name), this.#nextUidValidity(), () => this.#tell());
    this.#folders.set(folder.name, folder);
    return folder;
  }

  delete(folder: Folder): void {
    this.#folders.delete(folder.name);
    this.#tell();
  }

  /**
   * As after a restore from a backup: the mails are there, nothing that was known of their uids holds. Each takes its
   * neighbour's, so that whoever believes in the old ones meets another mail.
   */
  changeUidValidity(): void {
    for (const folder of this.#folders.values()) {
      folder.uidValidity = this.#nextUidValidity();
      folder.uidNext += 1;
      for (const message of folder.messages) message.uid += 1;
    }
    this.#tell();
  }

  /** @returns a function that ends it */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  reset(): void {
    this.#folders.clear();
    this.create(inbox);
    this.#tell();
  }

  #tell(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Never the same twice, also where the simulator is started anew. */
  #nextUidValidity(): number {
    this.#lastUidValidity = Math.max(this.#lastUidValidity + 1, Math.floor(Date.now() / 1000));
    return this.#lastUidValidity;
  }
}
