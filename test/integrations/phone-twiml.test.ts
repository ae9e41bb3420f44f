import assert from 'node:assert/strict';
import twilio from 'twilio';
import { isFromTwilio } from '../../src/integrations/phone/signature.js';
import { announcement, goodbye } from '../../src/integrations/phone/twiml.js';

const actionUrl = 'https://mimamori.example/webhooks/twilio/voice?call=1&contact=sato';

describe('what a contact hears', () => {
  it('is said twice in the language of the customer, and takes one key', () => {
    const twiml = announcement({ text: '脅威レベル4です。1を押してください。', language: 'ja', actionUrl });
    assert.match(
      twiml,
      /<Say language="ja-JP" voice="Polly\.Kazuha-Neural" loop="2">脅威レベル4です。1を押してください。<\/Say>/,
    );
    assert.match(twiml, /<Gather [^>]*numDigits="1"/);
    assert.match(twiml, /actionOnEmptyResult="true"/);
    assert.match(announcement({ text: 'Level 4.', language: 'en', actionUrl }), /<Say language="en-US"/);
  });

  it('cannot change the markup around it', () => {
    const twiml = announcement({ text: '</Say><Hangup/>&\u0007\ud800', language: 'ja', actionUrl });
    assert.doesNotMatch(twiml, /<Hangup/);
    assert.match(twiml, /&lt;\/Say&gt;&lt;Hangup\/&gt;&amp;<\/Say>/);
    assert.match(twiml, /call=1&amp;contact=sato/);
  });

  it('fits into what Twilio takes, however long the text and whatever needs escaping', () => {
    for (const text of ['&'.repeat(9_000), 'あ'.repeat(9_000), '😀'.repeat(4_000)]) {
      assert.ok(announcement({ text, language: 'ja', actionUrl }).length <= 4_000);
      assert.ok(goodbye({ text, language: 'ja' }).length <= 4_000);
    }
  });

  it('ends with a goodbye that hangs up', () => {
    assert.match(
      goodbye({ text: 'ありがとうございました。', language: 'ja' }),
      /ありがとうございました。<\/Say><Hangup\/>/,
    );
  });
});

describe('a webhook of Twilio', () => {
  const authToken = 'a-token';
  const url = 'https://mimamori.example/webhooks/twilio/voice?call=1';
  const params = { CallSid: 'CA1', Digits: '1' };
  const signature = twilio.getExpectedTwilioSignature(authToken, url, params);

  it('is believed with its signature', () => {
    assert.equal(isFromTwilio({ authToken, signature, url, params }), true);
  });

  it('is not believed with anything changed, missing or malformed', () => {
    const forged = [
      { authToken, signature, url, params: { ...params, Digits: '2' } },
      { authToken, signature, url: `${url}&contact=x`, params },
      { authToken: 'another', signature, url, params },
      { authToken: '', signature: twilio.getExpectedTwilioSignature('', url, params), url, params },
      { authToken, signature: undefined, url, params },
      { authToken, signature: [signature], url, params },
      { authToken, signature, url: 'nowhere', params },
      { authToken, signature, url, params: undefined },
      { authToken, signature, url, params: { CallSid: { toString: 1 } } },
    ];
    for (const request of forged) assert.equal(isFromTwilio(request), false);
  });
});
