import { line, prose } from './clean.js';
import { assertNever, type Language } from '../text.js';

export interface Row {
  label: string;
  value: string;
}

export type Block =
  { type: 'prose'; text: string } | { type: 'rows'; rows: readonly Row[] } | { type: 'list'; items: readonly string[] };

export interface Section {
  heading?: string;
  /** Set apart from the rest: what the reader has to answer or decide. */
  callout?: boolean;
  blocks: readonly Block[];
}

/** A mail's body in one language. Both parts are made from it, so they cannot tell different things. */
export interface Letter {
  language: Language;
  title: string;
  sections: readonly Section[];
}

const MAX_ROW_LENGTH = 2_000;
const RULE = '='.repeat(60);

export function paragraph(text: string): Block {
  return { type: 'prose', text };
}

/** A section of one text, or none where there is no text. */
export function textSection(heading: string, text: string | null | undefined): Section[] {
  return text === null || text === undefined || text === '' ? [] : [{ heading, blocks: [paragraph(text)] }];
}

function flat(text: string): string {
  return line(text, MAX_ROW_LENGTH);
}

function blockText(block: Block): string {
  switch (block.type) {
    case 'prose':
      return prose(block.text);
    case 'rows':
      return block.rows.map(({ label, value }) => `${flat(label)}: ${flat(value)}`).join('\n');
    case 'list':
      return block.items.map((item) => `- ${flat(item)}`).join('\n');
    default:
      return assertNever(block);
  }
}

function sectionText({ heading, callout, blocks }: Section): string {
  const lines = [...(heading === undefined ? [] : [`■ ${flat(heading)}`]), ...blocks.map(blockText)].join('\n');
  return callout === true ? `${RULE}\n${lines}\n${RULE}` : lines;
}

function letterText({ title, sections }: Letter): string {
  return [`【${flat(title)}】`, ...sections.map(sectionText)].join('\n\n');
}

export function toText(letters: readonly Letter[]): string {
  return `${letters.map(letterText).join(`\n\n${'-'.repeat(60)}\n\n`)}\n`;
}

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

const FONT = "font-family:'Yu Gothic UI',Meiryo,'Hiragino Sans','Segoe UI',Arial,sans-serif";
const CELL = 'padding:4px 10px;border:1px solid #d0d7de;vertical-align:top;text-align:left;overflow-wrap:anywhere';

function blockHtml(block: Block): string {
  switch (block.type) {
    case 'prose':
      return `<p style="margin:0 0 8px;white-space:pre-wrap;overflow-wrap:anywhere">${multiline(block.text)}</p>`;
    case 'rows': {
      const rows = block.rows.map(
        ({ label, value }) =>
          `<tr><th scope="row" style="${CELL};background:#f6f8fa;font-weight:600">${escape(flat(label))}</th>` +
          `<td style="${CELL}">${escape(flat(value))}</td></tr>`,
      );
      return `<table style="border-collapse:collapse;margin:0 0 8px;width:100%">${rows.join('')}</table>`;
    }
    case 'list':
      return `<ul style="margin:0 0 8px;padding-left:20px">${block.items
        .map((item) => `<li style="overflow-wrap:anywhere">${escape(flat(item))}</li>`)
        .join('')}</ul>`;
    default:
      return assertNever(block);
  }
}

function sectionHtml({ heading, callout, blocks }: Section): string {
  const box = callout === true ? 'padding:10px 14px;border:2px solid #bf8700;background:#fff8c5' : '';
  const title = heading === undefined ? '' : `<h2 style="font-size:15px;margin:0 0 6px">${escape(flat(heading))}</h2>`;
  return `<div style="margin:0 0 18px;${box}">${title}${blocks.map(blockHtml).join('')}</div>`;
}

function letterHtml({ language, title, sections }: Letter): string {
  return (
    `<div lang="${language}"><h1 style="font-size:18px;margin:0 0 14px">${escape(flat(title))}</h1>` +
    `${sections.map(sectionHtml).join('\n')}</div>`
  );
}

export function toHtml(letters: readonly Letter[]): string {
  const [first] = letters;
  return [
    '<!doctype html>',
    `<html lang="${first?.language ?? 'ja'}"><head><meta charset="utf-8"><title>${escape(flat(first?.title ?? ''))}</title></head>`,
    `<body style="margin:0;padding:16px;color:#1f2328;font-size:14px;line-height:1.6;${FONT}"><div style="max-width:720px">`,
    letters.map(letterHtml).join('<hr style="border:0;border-top:1px solid #d0d7de;margin:24px 0">'),
    '</div></body></html>',
    '',
  ].join('\n');
}
