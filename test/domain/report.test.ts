import assert from 'node:assert/strict';
import { incidentView } from '../../src/domain/incident/view.js';
import { incidentReport, type Reported } from '../../src/domain/templates/report.js';
import { toText } from '../../src/domain/templates/to-text.js';
import { toHtml } from '../../src/integrations/mail/html/to-html.js';
import { isolatedLife, minute, policyOf, type Life } from './life.js';

const PLACE = { seq: 12, sha256: 'ab'.repeat(32), previous: 'cd'.repeat(32), archivedAt: minute(600) };

function reportOf({ record, now }: Life, customer: Reported['customer']) {
  return incidentReport({ record, view: incidentView(record, now), place: PLACE, exportedAt: minute(700), customer });
}

const HOSTILE = '<img src=x onerror=alert(1)> \u202e"quoted"';

function lived(): Life {
  const life = isolatedLife(3, { alert: { title: HOSTILE }, policy: policyOf() });
  life.fact({ type: 'note', text: 'only for the SOC', actor: 'ana' });
  life.fact({ type: 'escalation', body: { message: HOSTILE, askCustomer: HOSTILE }, actor: 'ana' });
  life.fact({
    type: 'answer',
    body: { by: HOSTILE, channel: 'mail', receivedAt: minute(40), words: HOSTILE },
    actor: 'ana',
  });
  return life;
}

describe('the readable page of an incident', () => {
  it('is in the customer’s language and time zone, and has all but the SOC’s own notes', () => {
    const ja = toText([reportOf(lived(), { name: '株式会社アクメ', language: 'ja', timeZone: 'Asia/Tokyo' })]);
    const en = toText([reportOf(lived(), { name: 'Acme', language: 'en', timeZone: 'America/Chicago' })]);
    for (const part of [
      'インシデントの記録',
      '株式会社アクメ',
      '経過: 2026年11月24日 (JST/Asia/Tokyo)',
      '09:01',
      'SOC の内部メモ (1件)',
    ]) {
      assert.ok(ja.includes(part), part);
    }
    for (const part of [
      'Record of the incident',
      'What happened: 23 November 2026 (CST/America/Chicago)',
      '18:01',
      PLACE.sha256,
    ]) {
      assert.ok(en.includes(part), part);
    }
    for (const text of [ja, en]) {
      assert.ok(!text.includes('only for the SOC'));
      assert.ok(text.includes(PLACE.previous));
      assert.doesNotMatch(text, /undefined|\[object|NaN|null/);
    }
    // No word of the other language but what people wrote.
    assert.doesNotMatch(en, /[\u3040-\u30ff\u4e00-\u9fff]/u);
  });

  it('holds nothing that a browser would run or be misled by', () => {
    const html = toHtml([reportOf(lived(), { name: HOSTILE, language: 'en', timeZone: 'UTC' })]);
    assert.doesNotMatch(html, /<img/);
    assert.ok(!html.includes('\u202e'));
    assert.ok(html.includes('&lt;img src=x onerror=alert(1)&gt;'));
    assert.doesNotMatch(html, /<script|https?:\/\/(?!www\.w3\.org)/);
  });

  it('tells each day under its own name', () => {
    const life = lived()
      .at(60 * 30)
      .fact({ type: 'assigned', operatorId: 'ben', actor: 'ana' });
    const text = toText([reportOf(life, { name: 'Acme', language: 'en', timeZone: 'UTC' })]);
    const begins = text.indexOf('What happened: 24 November 2026 (UTC)');
    const goesOn = text.indexOf('25 November 2026 (UTC)', begins);
    const [ofFirst, ofSecond] = [text.slice(begins, goesOn), text.slice(goesOn)];
    assert.ok(begins > 0 && goesOn > begins);
    assert.match(ofFirst, /00:01/);
    assert.ok(!ofFirst.includes('Assigned to ben'));
    assert.match(ofSecond, /06:00[^]*Assigned to ben/);
  });
});
