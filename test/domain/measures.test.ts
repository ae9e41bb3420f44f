import assert from 'node:assert/strict';
import type { IncidentRecord } from '../../src/domain/incident/record.js';
import { incidentMeasures, measures, openingMeasures, phoneMeasures, type Measure } from '../../src/domain/measures.js';
import { addCall, applyCallEvent, changeCall, openPhone } from '../../src/domain/phone/evolve.js';
import type { PhoneRecord } from '../../src/domain/phone/record.js';
import { callRecord, DETECTED, Life, minute } from './life.js';

/** `verdicts_total{4}`, or `time_to_verdict_seconds 1200`. */
function shown({ name, value, labels }: Measure): string {
  const short = name.replace('mimamori_', '');
  if (measures[name].kind === 'histogram') return `${short} ${value}`;
  assert.equal(value, 1);
  return `${short}{${Object.values(labels).join()}}`;
}

/** What a part of a life counts for, fact by fact. */
function counted(life: Life, part: (life: Life) => unknown): string[] {
  const found: string[] = [];
  let before: IncidentRecord = life.record;
  const fact = life.fact.bind(life);
  life.fact = (one) => {
    fact(one);
    found.push(...incidentMeasures(before, life.record).map(shown));
    before = life.record;
    return life;
  };
  part(life);
  found.push(...incidentMeasures(before, life.record).map(shown));
  life.fact = fact;
  return found;
}

describe('what an incident counts for', () => {
  it('the first verdict since the detection, and each isolation since the verdict', () => {
    const life = new Life().at(20);
    assert.deepEqual(
      counted(life, () => life.triage(3)),
      ['verdicts_total{3}', 'time_to_verdict_seconds 1200'],
    );
    assert.deepEqual(
      counted(life, () => life.askDevices().mailed('mail:primary')),
      ['mails_total{accepted}'],
    );
    life.at(31);
    assert.deepEqual(
      counted(life, () => life.isolated('m1', minute(30))),
      ['time_to_isolation_seconds 600'],
    );
    // Told once more, it is no other one.
    assert.deepEqual(
      counted(life, () => life.isolated('m1', minute(30))),
      [],
    );
  });

  it('a changed verdict as a verdict alone, and a release as nothing', () => {
    const life = new Life().at(20).triage(3).askDevices().at(30).isolated();
    assert.deepEqual(
      counted(life, () => life.triage(4)),
      ['verdicts_total{4}'],
    );
    assert.deepEqual(
      counted(life, () => life.release()),
      [],
    );
  });

  it('a duty that fails, once for each time', () => {
    const life = new Life().at(20).triage(2);
    assert.deepEqual(
      counted(life, () => life.refused('mail:primary')),
      ['duties_failed_total{mail}', 'mails_total{refused}'],
    );
    assert.deepEqual(
      counted(life, () => life.fact({ type: 'note', text: 'seen', actor: 'ana' })),
      [],
    );
    assert.deepEqual(
      counted(life, () => life.again()),
      [],
    );
    assert.deepEqual(
      counted(life, () => life.refused('mail:primary')),
      ['duties_failed_total{mail}', 'mails_total{refused}'],
    );
  });

  it('a mail that comes back, beside its acceptance', () => {
    const life = new Life().at(20).triage(2);
    assert.deepEqual(
      counted(life, () => life.mailed('mail:primary').bounced('mail:primary')),
      ['mails_total{accepted}', 'mails_total{bounced}'],
    );
  });

  it('a time target that was missed', () => {
    const life = new Life().at(20).triage(3);
    assert.deepEqual(
      counted(life, () => life.at(200)),
      ['breaches_total{}'],
    );
  });

  it('a time target that was missed before the alert came, at its beginning only', () => {
    const late = new Life({ receivedAt: minute(200), osPlatform: null });
    assert.deepEqual(openingMeasures(late.record).map(shown), ['breaches_total{}']);
    assert.deepEqual(openingMeasures(late.at(210).triage(3).record), []);
    assert.deepEqual(openingMeasures(new Life({ osPlatform: null }).record), []);
  });

  it('an isolation that Defender dates before the verdict as no time at all', () => {
    const life = new Life().at(20).triage(3).askDevices();
    assert.deepEqual(
      counted(life, () => life.isolated('m1', minute(19))),
      ['time_to_isolation_seconds 0'],
    );
  });
});

describe('what a telephone counts for', () => {
  const going = addCall(openPhone('acme', DETECTED), callRecord(7, going7()));
  function going7() {
    return { startedAt: minute(1), endedAt: null, status: 'ringing' };
  }
  const ended = (before: PhoneRecord, after: PhoneRecord) => phoneMeasures(before, after).map(shown);

  it('nothing, while it rings', () => {
    assert.deepEqual(ended(openPhone('acme', DETECTED), going), []);
    assert.deepEqual(ended(going, changeCall(going, 7, { status: 'in-progress' })), []);
  });

  it('a call by its end, once', () => {
    const busy = applyCallEvent(going, { attempt: 7, sid: 'CA7', status: 'busy', digits: null }, minute(2));
    assert.deepEqual(ended(going, busy), ['calls_total{busy}']);
    const late = applyCallEvent(busy, { attempt: 7, sid: 'CA7', status: 'completed', digits: '1' }, minute(3));
    assert.deepEqual(ended(busy, late), []);
  });

  it('a call that somebody has acknowledged', () => {
    const done = applyCallEvent(going, { attempt: 7, sid: 'CA7', status: 'in-progress', digits: '1' }, minute(2));
    assert.deepEqual(ended(going, done), ['calls_total{acknowledged}']);
  });

  it('no word that Twilio may invent', () => {
    const odd = changeCall(going, 7, { status: 'abducted by +81312345678', endedAt: minute(2) });
    assert.deepEqual(ended(going, odd), ['calls_total{other}']);
  });
});
