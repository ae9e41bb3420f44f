import { assertNever } from '../text.js';
import { flat, prose } from './clean.js';
import type { Block, Letter, Section } from './document.js';

const RULE = '='.repeat(60);

function blockText(block: Block): string {
  switch (block.type) {
    case 'prose':
      return prose(block.text);
    case 'rows':
      return block.rows.map(({ label, value }) => `${flat(label)}: ${flat(value)}`).join('\n');
    case 'list':
      return block.items.map((item) => `- ${flat(item)}`).join('\n');
    case 'quote':
      return prose(block.text).replace(/^/gmu, '> ');
    default:
      return assertNever(block);
  }
}

function sectionText({ heading, callout, blocks }: Section): string {
  const lines = [...(heading === undefined ? [] : [`■ ${flat(heading)}`]), ...blocks.map(blockText)].join('\n');
  return callout === true ? `${RULE}\n${lines}\n${RULE}` : lines;
}

function letterText({ title, greeting, summary, sections }: Letter): string {
  return [
    `【${flat(title)}】`,
    ...(greeting === undefined ? [] : [prose(greeting)]),
    ...(summary === undefined ? [] : [summary.map(flat).join('\n')]),
    ...sections.map(sectionText),
  ].join('\n\n');
}

/** The plain part of a mail, for programs and people that read no HTML. */
export function toText(letters: readonly Letter[]): string {
  return `${letters.map(letterText).join(`\n\n${'-'.repeat(60)}\n\n`)}\n`;
}
