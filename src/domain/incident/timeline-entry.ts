import { reasonWords } from '../reasons.js';
import { bilingual, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import type { TimelineEntry, TimelineType } from './record.js';

/** Text of a timeline entry stays far under its 4 kB. */
export const SHORT = 600;

/** How what has happened at one moment is put down: as it is, or as something that is in trouble for a known reason. */
export function entriesAt(at: Instant) {
  const entry = (
    type: TimelineType,
    text: Bilingual,
    data?: Record<string, unknown>,
    actor = 'mimamori',
  ): TimelineEntry[] => [{ at, actor, type, text, ...(data === undefined ? {} : { data }) }];
  const trouble = (type: TimelineType, reason: string, why: string, data: Record<string, unknown>): TimelineEntry[] => {
    const words = reasonWords(reason);
    return entry(type, bilingual(`In trouble: ${words.en}. ${why}`, `障害: ${words.ja}。${why}`), { ...data, reason });
  };
  return { entry, trouble };
}
