import { advance } from '../../domain/incident/advance.js';
import { evolve } from '../../domain/incident/evolve.js';
import type { Fact } from '../../domain/incident/facts.js';
import type { IncidentRecord } from '../../domain/incident/record.js';
import { incidentMeasures } from '../../domain/measures.js';
import { measure } from '../meter.js';
import { now } from '../support.js';

/** The record of a running incident, changed by facts only. */
export class Book {
  /** Grows with every change, so that the loop knows whether anything happened while it was at work. */
  changes = 0;

  constructor(public record: IncidentRecord) {}

  apply(fact: Fact): void {
    this.replace(evolve(this.record, fact, now()));
  }

  /** Writes down what time and the rules alone have brought about. */
  advance(): void {
    this.replace(advance(this.record, now()));
  }

  private underWay = 0;

  get isIdle(): boolean {
    return this.underWay === 0;
  }

  /** Goes on while this is under way; its end wakes the loop. */
  alongside(work: Promise<void>): void {
    this.underWay += 1;
    void work.finally(() => {
      this.underWay -= 1;
      this.touch();
    });
  }

  /** Somebody has said that the policy is another than the one on record. */
  hasOldPolicy = false;

  /** Likewise of the exclusions that the alert was compared with. */
  hasOldExclusions = false;

  policyChanged(): void {
    this.hasOldPolicy = true;
    this.hasOldExclusions = true;
    this.touch();
  }

  /** Something beside the record has changed that the loop has to look at. */
  touch(): void {
    this.changes += 1;
  }

  private replace(record: IncidentRecord): void {
    const before = this.record;
    if (record === before) return;
    this.record = record;
    this.changes += 1;
    measure(() => incidentMeasures(before, record));
  }
}
