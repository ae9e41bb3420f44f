/** Failures of one mail, before it is given up. */
const MAX_FAILURES = 3;

interface Suspect {
  tries: number;
  /** Failures that are the mail's own, as far as anybody can tell. */
  failures: number;
  /** How many other mails had been taken when it last failed. */
  takenBefore: number;
  /** Its bytes were read; what failed came after. */
  isRead: boolean;
}

/** Whether a mail is to be read, and what is known of it where it is to be given up. */
export type Suspicion = 'none' | 'tried' | 'given-up' | 'given-up-unread';

/**
 * The mails of a mailbox that could not be taken. One that never can is not to keep the others waiting for ever, and one that only came
 * at a bad moment is not to be given up: a failure that may as well be the mailbox's, or Temporal's, counts against a mail only when
 * others were taken since it last failed.
 */
export class Suspects {
  private readonly all = new Map<string, Suspect>();
  private taken = 0;

  get size(): number {
    return this.all.size;
  }

  took(name: string): void {
    this.taken += 1;
    this.all.delete(name);
  }

  /** `isOwn`: the mail's own fault, whatever becomes of others. */
  failed(name: string, { isOwn, isRead }: { isOwn: boolean; isRead: boolean }): void {
    const before = this.all.get(name);
    const counts = isOwn || before === undefined || this.taken > before.takenBefore;
    this.all.set(name, {
      tries: (before?.tries ?? 0) + 1,
      failures: (before?.failures ?? 0) + (counts ? 1 : 0),
      takenBefore: this.taken,
      isRead,
    });
  }

  of(name: string): Suspicion {
    const suspect = this.all.get(name);
    if (suspect === undefined) return 'none';
    if (suspect.failures < MAX_FAILURES) return 'tried';
    return suspect.isRead ? 'given-up' : 'given-up-unread';
  }

  /**
   * What to take now of what waits: first whatever has not failed yet, and only when there is none of it what has, the least tried
   * first: each alone, for a mail over which the connection breaks takes those beside it along. What waits no more is forgotten.
   */
  next<Mail>(waiting: readonly Mail[], nameOf: (mail: Mail) => string): { mails: Mail[]; areSuspect: boolean } {
    const names = new Set(waiting.map(nameOf));
    for (const name of this.all.keys()) if (!names.has(name)) this.all.delete(name);
    const fresh = waiting.filter((mail) => !this.all.has(nameOf(mail)));
    if (fresh.length > 0) return { mails: fresh, areSuspect: false };
    const triesOf = (mail: Mail): number => this.all.get(nameOf(mail))?.tries ?? 0;
    return { mails: waiting.toSorted((one, other) => triesOf(one) - triesOf(other)), areSuspect: true };
  }
}
