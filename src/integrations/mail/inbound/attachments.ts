import { createHash } from 'node:crypto';
import { LIMITS, type Attachment } from '../../../domain/customer-mail/mail.js';
import { oneLine } from '../../../domain/text.js';
import type { Part } from './parts.js';
import { fileName } from './structured.js';
import { decodeTransfer } from './transfer.js';

/** Its transfer encoding is undone to weigh it; what is inside, nobody looks at. */
export function describeFile(part: Part): Attachment {
  const bytes = decodeTransfer(part.bytes, part.transfer);
  return {
    name: shownName(fileName(part.disposition, part.type)) || fallbackName(part.type.value),
    type: oneLine(part.type.value, LIMITS.name),
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

/** One line, no path, and nothing that turns the direction of writing: `gpj.exe` must not be shown as `exe.jpg`. */
function shownName(name: string): string {
  return oneLine(name.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').replace(/[\\/]/g, '_'), LIMITS.name);
}

function fallbackName(type: string): string {
  return type === 'message/rfc822' ? 'message.eml' : '';
}
