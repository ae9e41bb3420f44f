import assert from 'node:assert/strict';
import { toHtml } from '../../src/integrations/mail/html/to-html.js';
import { htmlToText } from '../../src/integrations/mail/inbound/html.js';

const ROWS: [what: string, html: string, text: string][] = [
  ['of no size', 'a<span style="font-size:0">b</span>c', 'ac'],
  ['of no size, in another unit', 'a<span style="color:red; font-size: 0px">b</span>c', 'ac'],
  ['given a size in what has none', '<td style="font-size:0px"><div style="font-size:14px">b</div>c</td>d', 'b\nd'],
  [
    'of no size in what was given one',
    '<i style="font-size:0"><b style="font-size:9pt">b<u style="font-size:0">c</u></b></i>',
    'b',
  ],
  [
    'a share of no size',
    '<i style="font-size:0">a<b style="font-size:100%">b</b><b style="font-size:2em">c</b></i>d',
    'd',
  ],
  ['of half a pixel', '<i style="font-size:0.5px">a</i>', 'a'],
  [
    'hidden in what was given a size',
    '<i style="font-size:0"><b style="font-size:9pt">b<u style="display:none">c</u></b></i>',
    'b',
  ],
  ['a paragraph that is not closed', '<p style="font-size:0">a<p>b', 'b'],
  ['a line break in what has no size', '<i style="font-size:0">a<br>b</i>c', 'c'],
];

describe('what a reader sees of HTML', () => {
  for (const [what, html, text] of ROWS) {
    it(what, () => assert.equal(htmlToText(html), text));
  }

  it('is all of our own mails: a customer may have answered between their lines', () => {
    const blocks = [{ type: 'prose' as const, text: 'What we found.' }];
    const html = toHtml([{ language: 'en', title: 'Title', sections: [{ heading: 'Finding', blocks }] }]);
    const answered = html.replace('What we found.', 'What we found.<br>That was me.');
    assert.match(htmlToText(answered), /Title[\s\S]*Finding[\s\S]*What we found\.\nThat was me\./);
  });
});
