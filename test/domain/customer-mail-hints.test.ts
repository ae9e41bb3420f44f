import assert from 'node:assert/strict';
import { hintsOf } from '../../src/domain/customer-mail/hints.js';

const ROWS: [newText: string, kinds: string[]][] = [
  ['PC-1 の隔離を解除してください。', ['release-instruction']],
  ['隔離解除をお願いいたします。', ['release-instruction']],
  ['端末を元に戻してください', ['release-instruction']],
  ['ネットワークへ復帰させてください', ['release-instruction']],
  ['隔離を\n解除してください', ['release-instruction']],
  ['Please release the device.', ['release-instruction']],
  ['You can take PC-1 out of isolation now.', ['release-instruction']],
  ['ホワイトリストへの登録をお願いします', ['exclusion-request']],
  ['誤検知ですので、今後検知しないようにしてください', ['exclusion-request']],
  ['Please whitelist this tool.', ['exclusion-request']],
  ['Please add an exclusion for backup.exe', ['exclusion-request']],
  ['Defender のライセンスについて教えてください', ['product-question']],
  ['How do I configure it? The Defender portal shows how to, I think.', ['product-question']],
  ['隔離を解除し、ホワイトリストに登録してください', ['release-instruction', 'exclusion-request']],
  ['承知しました。ありがとうございます。', []],
  ['Thank you, noted.', []],
];

describe('what a mail may be about', () => {
  for (const [newText, kinds] of ROWS) {
    it(`is hinted: ${JSON.stringify(newText)}`, () =>
      assert.deepEqual(
        hintsOf({ subject: 'Re: [見守り] 隔離解除', newText }).map(({ kind }) => kind),
        kinds,
      ));
  }

  it('names the words', () =>
    assert.equal(hintsOf({ subject: '', newText: '隔離解除を' })[0]?.because, '「隔離解除」'));

  for (const newText of ['隔離を解除しないでください', 'Do not release the device', "Don't release it yet"]) {
    it(`says that there is a negation: ${newText}`, () =>
      assert.match(hintsOf({ subject: '', newText })[0]?.because ?? '', /negation: 「(しないで|not|don't)」/));
  }

  it('counts a subject that the customer wrote, and not that of our thread', () => {
    assert.equal(hintsOf({ subject: '隔離解除のお願い', newText: 'よろしく' }).length, 1);
    assert.equal(hintsOf({ subject: 'RE: Re: [Mimamori] release of the device', newText: 'ok' }).length, 0);
  });
});
