import assert from 'node:assert/strict';
import { parseTwiml, TwimlError } from './twiml.js';

describe('TwiML', () => {
  it('reads what a call may be told', () => {
    const verbs = parseTwiml(`<?xml version="1.0" encoding="UTF-8"?>
      <!-- a call -->
      <Response>
        <Gather input="dtmf" numDigits="1" timeout="8" action="http://api.example/x?a=1&amp;b=2" actionOnEmptyResult="true" finishOnKey="">
          <Say language="ja-JP" voice="Polly.Kazuha-Neural">端末&#x3092;<![CDATA[<隔離>]]>しました</Say>
        </Gather>
        <Pause length="2"/>
        <Say>R&amp;D</Say>
        <Redirect method="GET">http://api.example/again</Redirect>
        <Hangup/>
      </Response>`);
    assert.deepEqual(verbs, [
      {
        kind: 'gather',
        said: ['端末を<隔離>しました'],
        numDigits: 1,
        timeoutSeconds: 8,
        finishOnKey: '',
        action: 'http://api.example/x?a=1&b=2',
        method: 'POST',
        actionOnEmptyResult: true,
      },
      { kind: 'pause', lengthSeconds: 2 },
      { kind: 'say', text: 'R&D' },
      { kind: 'redirect', url: 'http://api.example/again', method: 'GET' },
      { kind: 'hangup' },
    ]);
  });

  const wrong: [string, string, number][] = [
    ['an unclosed element', '<Response><Say>x</Response>', 12100],
    ['a bare ampersand', '<Response><Say>R&D</Say></Response>', 12100],
    ['no document', '', 12100],
    ['another root', '<html></html>', 12200],
    ['an unknown verb', '<Response><Dial>+81312345678</Dial></Response>', 12200],
    ['a wrong number', '<Response><Gather timeout="soon"/></Response>', 12200],
  ];
  for (const [what, text, code] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => parseTwiml(text),
        (error) => error instanceof TwimlError && error.code === code,
      );
    });
  }
});
