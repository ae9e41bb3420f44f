import type { CommandOutcome } from '../commands.js';
import type { Instant } from '../time.js';
import type { CustomerRequest } from './commands.js';
import type { ExclusionPart } from './record.js';

/** Something that has happened to an exclusion. */
export type ExclusionFact =
  // What people did
  | { type: 'customer-requested'; request: CustomerRequest; actor: string }
  | { type: 'approved'; actor: string; reason: string }
  | { type: 'declined'; actor: string; reason: string }
  | { type: 'withdrawn'; actor: string; reason: string }
  | { type: 'expiry-shortened'; expiresAt: Instant; actor: string; reason: string }
  /** What had failed is to be tried again. */
  | { type: 'retry-asked'; actor: string; reason: string }
  | { type: 'command-handled'; key: string; bodyHash: string; outcome: CommandOutcome }
  // What the exclusion's own process did
  | { type: 'waiting'; until: Instant }
  | { type: 'part-set'; part: ExclusionPart; detail: string[] }
  | { type: 'part-failed'; part: ExclusionPart; reason: string }
  | { type: 'part-removed'; part: ExclusionPart }
  | { type: 'removal-failed'; part: ExclusionPart; reason: string }
  | { type: 'confirmed'; messageId: string }
  | { type: 'confirmation-failed'; messageId: string; reason: string }
  | { type: 'end-mailed'; messageId: string }
  | { type: 'end-mail-failed'; messageId: string; reason: string }
  | { type: 'reminded' }
  // What time did
  | { type: 'expired' };
