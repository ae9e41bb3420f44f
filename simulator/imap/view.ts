import type { Folder, Mailbox, Message } from './mailbox.js';
import { readNumberSet } from './number-set.js';

export interface Numbered {
  number: number;
  message: Message;
}

export const flagsOf = (message: Message): string => [...message.flags].join(' ');

/**
 * What one session has been told of its folder. Numbers of messages are the session's own: they move only when it
 * hears of it, whatever others do to the folder meanwhile.
 */
export class View {
  #told: { message: Message; flags: string }[];
  readonly #uidValidity: number;

  constructor(
    readonly folder: Folder,
    readonly isReadOnly: boolean,
  ) {
    this.#told = folder.messages.map((message) => ({ message, flags: flagsOf(message) }));
    this.#uidValidity = folder.uidValidity;
  }

  all(): Numbered[] {
    return this.#told.map(({ message }, index) => ({ number: index + 1, message }));
  }

  pick(set: string, isByUid: boolean): Numbered[] {
    const all = this.all();
    const isWanted = this.setOf(set, isByUid);
    return all.filter(({ number, message }) => isWanted(isByUid ? message.uid : number));
  }

  setOf(set: string, isByUid: boolean): (number: number) => boolean {
    return readNumberSet(set, isByUid ? (this.#told.at(-1)?.message.uid ?? 0) : this.#told.length);
  }

  /** A client that asked for silence, or has just read them, need not be told of these flags. */
  flagsAreTold(message: Message): void {
    const entry = this.#told.find((candidate) => candidate.message === message);
    if (entry !== undefined) entry.flags = flagsOf(message);
  }

  /** The folder is not the one that was selected: deleted, or all uids are void. */
  isVoid(mailbox: Mailbox): boolean {
    return mailbox.folder(this.folder.name) !== this.folder || this.folder.uidValidity !== this.#uidValidity;
  }

  /** @returns what there is to tell, as untagged responses */
  news(expungesToo: boolean): string[] {
    const news: string[] = [];
    const present = new Set(this.folder.messages);
    if (expungesToo) {
      for (let index = this.#told.length - 1; index >= 0; index -= 1) {
        const entry = this.#told[index];
        if (entry === undefined || present.has(entry.message)) continue;
        this.#told.splice(index, 1);
        news.push(`${index + 1} EXPUNGE`);
      }
    }
    const known = new Set(this.#told.map(({ message }) => message));
    const added = this.folder.messages.filter((message) => !known.has(message));
    this.#told.push(...added.map((message) => ({ message, flags: flagsOf(message) })));
    if (added.length > 0) news.push(`${this.#told.length} EXISTS`);
    for (const [index, entry] of this.#told.entries()) {
      const flags = flagsOf(entry.message);
      if (flags === entry.flags) continue;
      entry.flags = flags;
      news.push(`${index + 1} FETCH (UID ${entry.message.uid} FLAGS (${flags}))`);
    }
    return news;
  }
}
