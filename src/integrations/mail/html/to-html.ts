import { flat, prose } from '../../../domain/templates/clean.js';
import type { Block, Letter, Section } from '../../../domain/templates/document.js';
import { assertNever } from '../../../domain/text.js';
import { around, between, pieceOf, template } from './piece.js';
import { skeleton } from './skeleton.js';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

// Outlook for Windows ignores `white-space`, other programs would collapse blanks: hence both the style and the <br>.
function multiline(text: string): string {
  return escape(prose(text)).replaceAll('\n', '<br>');
}

const page = around(skeleton, 'content');
const openPage = template<'language' | 'title' | 'preview'>(page.before);

const letterPiece = pieceOf(skeleton, 'letter');
const openLetter = template<'language' | 'text'>(
  between(`<!--start-->${letterPiece}`, '<!--start-->', '<!--sections-->'),
);
const closeLetter = between(`${letterPiece}<!--end-->`, '<!--sections-->', '<!--end-->');

const boxes = {
  plain: around(pieceOf(skeleton, 'plain'), 'blocks'),
  summary: around(pieceOf(skeleton, 'summary'), 'blocks'),
  callout: around(pieceOf(skeleton, 'callout'), 'blocks'),
};
const divider = pieceOf(skeleton, 'divider');

const heading = template<'text'>(pieceOf(skeleton, 'heading'));
const summaryLine = template<'text'>(pieceOf(skeleton, 'line'));
const proseBlock = template<'text'>(pieceOf(skeleton, 'prose'));
const quoteBlock = template<'text'>(pieceOf(skeleton, 'quote'));
const rowsFrame = around(pieceOf(skeleton, 'rows'), 'items');
const row = template<'label' | 'text'>(pieceOf(skeleton, 'row'));
const listFrame = around(pieceOf(skeleton, 'list'), 'items');
const listItem = template<'text'>(pieceOf(skeleton, 'item'));

function within({ before, after }: { before: string; after: string }, inside: string): string {
  return `${before}${inside}${after}`;
}

function blockHtml(block: Block): string {
  switch (block.type) {
    case 'prose':
      return proseBlock({ text: multiline(block.text) });
    case 'quote':
      return quoteBlock({ text: multiline(block.text) });
    case 'rows': {
      const rows = block.rows.map(({ label, value }) => row({ label: escape(flat(label)), text: escape(flat(value)) }));
      return within(rowsFrame, rows.join('\n'));
    }
    case 'list': {
      const items = block.items.map((item) => listItem({ text: escape(flat(item)) }));
      return within(listFrame, items.join('\n'));
    }
    default:
      return assertNever(block);
  }
}

function sectionHtml({ heading: title, callout, blocks }: Section): string {
  const inside = [...(title === undefined ? [] : [heading({ text: escape(flat(title)) })]), ...blocks.map(blockHtml)];
  return within(callout === true ? boxes.callout : boxes.plain, inside.join(''));
}

function summaryHtml(summary: readonly string[]): string {
  return within(boxes.summary, summary.map((text) => summaryLine({ text: escape(flat(text)) })).join(''));
}

function letterHtml({ language, title, greeting, summary, sections }: Letter): string {
  return [
    openLetter({ language, text: escape(flat(title)) }),
    ...(greeting === undefined ? [] : [sectionHtml({ blocks: [{ type: 'prose', text: greeting }] })]),
    ...(summary === undefined ? [] : [summaryHtml(summary)]),
    ...sections.map(sectionHtml),
    closeLetter,
  ].join('');
}

/** The HTML part of a mail: the skeleton that MJML compiled, filled with what the letters say. */
export function toHtml(letters: readonly Letter[]): string {
  const [first] = letters;
  const open = openPage({
    language: first?.language ?? 'ja',
    title: escape(flat(first?.title ?? '')),
    // Mailboxes show it beside the subject.
    preview: escape(flat((first?.summary ?? []).join(' '))),
  });
  return `${open}${letters.map(letterHtml).join(divider)}${page.after}`;
}
