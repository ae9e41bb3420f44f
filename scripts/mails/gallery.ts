import type { RenderedMail } from '../../src/domain/templates/kinds.js';
import type { Language } from '../../src/domain/text.js';
import { bodyOf } from '../../src/integrations/mail/body.js';
import { exclusionMails, exclusionSocMails } from './exclusion-mails.js';
import { incidentMails } from './incident-mails.js';
import { inboundSocMails, inquiryMails } from './inquiry-mails.js';
import { socMails } from './soc-mails.js';

/** Where the gallery lies. */
export const GALLERY = new URL('../../docs/mails/', import.meta.url);

const LANGUAGES: readonly Language[] = ['ja', 'en'];
const WIDTHS = [360, 900] as const;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Every mail, by the name of its files: a customer's in each language, the SOC's once, as it is in both. */
export function sampleMails(): ReadonlyMap<string, RenderedMail> {
  const toCustomers = LANGUAGES.flatMap((language) =>
    Object.entries({ ...incidentMails(language), ...inquiryMails(language), ...exclusionMails(language) }).map(
      ([name, mail]) => [`${language}-${name}`, mail] as const,
    ),
  );
  const toSoc = { ...socMails(), ...inboundSocMails(), ...exclusionSocMails() };
  return new Map([...toCustomers, ...Object.entries(toSoc).map(([name, mail]) => [`ja-en-${name}`, mail] as const)]);
}

function entry(name: string, { kind, to, cc, subject }: RenderedMail): string {
  const frames = WIDTHS.map(
    (width) =>
      `<iframe src="${name}.html" width="${width}" height="700" title="${name}, ${width} px" loading="lazy"></iframe>`,
  );
  return [
    `<h2 id="${name}">${name}</h2>`,
    `<p><code>${kind}</code> to ${escape([...to, ...cc].join(', '))}: <b>${escape(subject)}</b> (<a href="${name}.txt">text</a>)</p>`,
    `<div class="widths">${frames.join('')}</div>`,
  ].join('\n');
}

function index(mails: ReadonlyMap<string, RenderedMail>): string {
  const links = [...mails.keys()].map((name) => `<li><a href="#${name}">${name}</a></li>`);
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><title>The mails of Mimamori</title>',
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">',
    '<style>body{font-family:sans-serif;margin:1rem}ul{columns:3}.widths{display:flex;gap:1rem;overflow-x:auto}iframe{border:1px solid gray;flex:none}</style>',
    '</head><body>',
    '<h1>The mails of Mimamori</h1>',
    '<p>Made by <code>npm run mails</code>; as on a telephone and on a screen, light or dark as this browser is.</p>',
    `<ul>${links.join('')}</ul>`,
    ...[...mails].map(([name, mail]) => entry(name, mail)),
    '</body></html>',
    '',
  ].join('\n');
}

/** The files of the gallery, by their names. */
export function galleryFiles(): ReadonlyMap<string, string> {
  const mails = sampleMails();
  const files = new Map([['index.html', index(mails)]]);
  for (const [name, { subject, to, cc, letters }] of mails) {
    const { text, html } = bodyOf(letters);
    const copies = cc.length === 0 ? '' : `Cc: ${cc.join(', ')}\n`;
    files.set(`${name}.html`, html);
    files.set(`${name}.txt`, `To: ${to.join(', ')}\n${copies}Subject: ${subject}\n\n${text}`);
  }
  return files;
}
