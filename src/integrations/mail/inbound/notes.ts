import type { Part, Parts } from './parts.js';
import { isKnownTransfer } from './transfer.js';

/** What is special about a mail that a person should know before they rely on its text. */
export function notesOf(parts: Parts, text: string): string[] {
  const { leaves, multiparts } = parts;
  const types = new Set(leaves.map(({ type }) => type.value));
  const smime = leaves.filter(({ type }) => /^application\/(?:x-)?pkcs7-mime$/.test(type.value));
  const isSignedOnly = ({ type }: Part): boolean =>
    /^(?:signed-data|certs-only)$/i.test(type.params.get('smime-type') ?? '');
  const holds: [note: string, isSo: boolean][] = [
    [
      'encrypted',
      multiparts.has('multipart/encrypted') ||
        types.has('application/pgp-encrypted') ||
        smime.some((part) => !isSignedOnly(part)) ||
        /^-----BEGIN PGP MESSAGE-----/m.test(text),
    ],
    [
      'signed',
      multiparts.has('multipart/signed') ||
        smime.some(isSignedOnly) ||
        /^-----BEGIN PGP SIGNED MESSAGE-----/m.test(text),
    ],
    ['calendar', types.has('text/calendar')],
    ['no-text', text.trim() === ''],
    ['unreadable-part', parts.isDamaged || leaves.some(({ transfer }) => !isKnownTransfer(transfer))],
    ['too-many-parts', parts.isLeftOut],
  ];
  return holds.filter(([, isSo]) => isSo).map(([note]) => note);
}
