import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { bodyOf, readBody } from '../../src/integrations/mail/body.js';
import { COMPILED, compileSkeleton } from '../../scripts/mails/skeleton.js';
import type { Letter } from '../../src/domain/templates/document.js';
import { PRIMARY, mail } from './mail-reading.js';
import { recordOf } from './mail-records.js';

describe('the HTML of mails', () => {
  const letter: Letter = {
    language: 'ja',
    title: 'TITLE <1>',
    greeting: 'GREETING',
    summary: ['FOUND "x"', 'ASKED'],
    sections: [
      { heading: 'CALLOUT', callout: true, blocks: [{ type: 'prose', text: 'one\n  two' }] },
      {
        blocks: [
          { type: 'rows', rows: [{ label: '@@text@@', value: '<!--items-->' }] },
          { type: 'list', items: ['ITEM'] },
          { type: 'quote', text: 'QUOTED\nWORDS' },
        ],
      },
    ],
  };
  const { text, html } = bodyOf([letter, { ...letter, language: 'en' }]);

  it('is made of what MJML makes of skeleton.mjml now', async () => {
    assert.equal(
      await readFile(COMPILED, 'utf8'),
      await compileSkeleton(),
      'run `npm run mails`, and commit what it changes',
    );
  });

  it('holds nothing of the skeleton’s own marks, and what was filled in as it is', () => {
    assert.ok(html.includes('@@text@@') && html.includes('&lt;!--items--&gt;'));
    assert.doesNotMatch(html.replaceAll('@@text@@', ''), /@@|<!--\/?[a-z]+-->/);
  });

  it('says in which language each part is, and shows the summary beside the subject', () => {
    assert.match(html, /^<!doctype html>\s<html lang="ja"/);
    assert.deepEqual(
      [...html.matchAll(/<div lang="(..)">/g)].map(([, language]) => language),
      ['ja', 'en'],
    );
    assert.match(html, /<title>TITLE &lt;1&gt;<\/title>/);
    assert.match(html, /display:none[^>]*>FOUND &quot;x&quot; ASKED<\/div>/);
  });

  it('fetches nothing, and can be read in the dark', () => {
    assert.doesNotMatch(html, /href|src=|@import|url\(/i);
    assert.match(html, /name="color-scheme" content="light dark"/);
    assert.match(html, /prefers-color-scheme:\s*dark/);
  });

  it('has a plain part that says the same in the same order', () => {
    const [japanese = ''] = text.split('-'.repeat(60));
    assert.equal(
      japanese,
      [
        '【TITLE <1>】\n\nGREETING\n\nFOUND "x"\nASKED\n\n',
        `${'='.repeat(60)}\n■ CALLOUT\none\n  two\n${'='.repeat(60)}\n\n`,
        '@@text@@: <!--items-->\n- ITEM\n> QUOTED\n> WORDS\n\n',
      ].join(''),
    );
  });

  it('of a mail that an older worker has scheduled is what that worker made', () => {
    const { letters } = mail(recordOf(), PRIMARY);
    assert.deepEqual(readBody(JSON.parse(JSON.stringify({ to: [], letters }))), bodyOf(letters));
    assert.deepEqual(readBody({ to: [], text: 'OLD', html: '<p>OLD' }), { text: 'OLD', html: '<p>OLD' });
    assert.throws(() => readBody({ to: [] }));
    assert.throws(() => readBody({ letters: [] }));
  });
});
