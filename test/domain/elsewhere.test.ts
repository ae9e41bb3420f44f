import assert from 'node:assert/strict';
import type { ChangedElsewhere } from '../../src/domain/device/record.js';
import { judgeClose, judgeTriage } from '../../src/domain/incident/judge.js';
import { renderMail } from '../../src/domain/templates/render.js';
import { isolatedLife, minute, policyOf, verdictBody, type Life } from './life.js';
import { read } from './mail-reading.js';

const OUT: ChangedElsewhere = { isolation: 'released', at: minute(40), seenAt: minute(45), by: 'admin@acme.example' };
const BACK: ChangedElsewhere = { isolation: 'isolated', at: minute(50), seenAt: minute(55), by: null };
const ACKNOWLEDGED = { at: minute(60), actor: 'ana', reason: 'agreed with Sato by phone' };

/** The device's workflow tells of what somebody did past the service; the incident's hold stays as it is. */
function told(life: Life, minutes: number, changedElsewhere?: ChangedElsewhere): Life {
  return life.at(minutes).report('m1', 'isolated', {
    at: minute(30),
    isolatedAt: minute(30),
    isolation: changedElsewhere?.isolation === 'released' ? 'none' : 'isolated',
    ...(changedElsewhere === undefined ? {} : { changedElsewhere }),
  });
}

function acknowledged(life: Life, minutes = 60): Life {
  return life.at(minutes).report('m1', 'released', {
    at: OUT.at,
    reason: 'released-elsewhere',
    acknowledged: ACKNOWLEDGED,
  });
}

function socMails(life: Life): string[] {
  return life
    .duties()
    .filter(({ id }) => id.startsWith('warn:notice'))
    .map(({ id }) => id);
}

const lastEntries = (life: Life, count: number) =>
  life.record.timeline.slice(-count).map(({ actor, type, text }) => `${actor} ${type}: ${text.en}`);

describe('a held device that was changed past the service, for its incident', () => {
  it('is on the timeline, in attention, and told to the SOC once, in both languages', () => {
    const life = told(isolatedLife(), 45, OUT);
    const released =
      'pc-1.acme.local was released from isolation outside this service by admin@acme.example, 24 November 2026, 09:40 (JST/Asia/Tokyo): it is on the network. It is not isolated again by itself.';
    assert.deepEqual(lastEntries(life, 1), [`defender isolation: ${released}`]);
    const { text, data } = life.record.timeline.at(-1) ?? {};
    assert.match(text?.ja ?? '', /2026年11月24日 09:40 .*解除されました \(操作者: admin@acme\.example\)/);
    assert.equal(data?.['at'], minute(40));
    assert.deepEqual([life.stage(), life.attention()], ['awaiting-release', ['isolation-changed-elsewhere']]);
    assert.deepEqual(life.waiting(), [
      'analyst: an acknowledgement: pc-1.acme.local was released outside this service',
    ]);
    assert.deepEqual(socMails(life), ['warn:notice:0']);
    const { kind, text: mail } = read(
      renderMail(life.record, policyOf(), { kind: 'soc-warning', about: { notice: 0 } }, life.now),
    );
    assert.equal(kind, 'soc-warning');
    assert.match(mail, /本サービス以外の操作により解除[\s\S]*was released from isolation outside this service/);
    assert.match(mail, /承認[\s\S]*acknowledge it for the device/);
    const entries = life.record.timeline.length;
    told(life, 46, OUT);
    assert.deepEqual([life.record.timeline.length, socMails(life).length], [entries, 1]);
  });

  it('asks for nothing: it is not isolated again', () => {
    const life = told(isolatedLife(), 45, OUT).mailAll();
    assert.deepEqual(life.contacts(), []);
    const before = life.record;
    life.askDevices();
    assert.equal(life.record.devices[0]?.asked, before.devices[0]?.asked);
  });

  it('keeps the incident open until somebody has accepted it, who is on the timeline', () => {
    const life = told(isolatedLife(), 45, OUT).mailAll();
    const refused = judgeClose(life.record);
    assert.equal(refused?.code, 'device-still-isolated');
    assert.match(refused.message, /acknowledge/);
    acknowledged(life);
    assert.deepEqual(lastEntries(life, 1), [
      'ana release: The release of pc-1.acme.local outside this service was acknowledged: agreed with Sato by phone',
    ]);
    assert.equal(life.record.timeline.at(-1)?.data?.['acknowledgedAt'], minute(60));
    assert.deepEqual([life.stage(), life.attention(), life.contacts()], ['notified', [], []]);
    assert.equal(judgeClose(life.record), undefined);
  });

  it('is over by itself when Defender’s state is back, which is told too', () => {
    const life = told(told(isolatedLife(), 45, OUT), 55, BACK);
    assert.deepEqual(lastEntries(life, 1), [
      'defender isolation: pc-1.acme.local was isolated again outside this service, 24 November 2026, 09:50 (JST/Asia/Tokyo).',
    ]);
    assert.deepEqual([life.attention(), life.stage()], [[], 'awaiting-release']);
    assert.deepEqual(socMails(life), ['warn:notice:0', 'warn:notice:1']);
    assert.deepEqual(life.waiting(), ['customer: an order to release pc-1.acme.local']);
  });

  it('is over when another incident’s isolation has cut it off again', () => {
    const life = told(told(isolatedLife(), 45, OUT), 55);
    assert.deepEqual(lastEntries(life, 1), [
      'mimamori isolation: pc-1.acme.local is isolated again: Defender has confirmed it.',
    ]);
    assert.deepEqual(life.attention(), []);
  });

  it('is told to the customer as it is, in whatever mail follows', () => {
    for (const life of [told(isolatedLife(), 45, OUT), acknowledged(told(isolatedLife(), 45, OUT))]) {
      life.triage(4);
      const verdict = life.record.verdicts.length - 1;
      const { text } = read(
        renderMail(life.record, policyOf({ language: 'en' }), { kind: 'secondary', verdict }, life.now),
      );
      assert.match(text, /Released from network isolation at 24 November 2026, 09:40 .*, outside our service/);
      assert.doesNotMatch(text, /Isolated from the network since/);
    }
  });

  it('is isolated anew when an analyst names it again, and only then', () => {
    const life = acknowledged(told(isolatedLife(), 45, OUT)).mailAll();
    const again = { body: verdictBody(3), ifMatch: life.record.revision };
    assert.equal(judgeTriage(life.record, again, life.now)?.code, 'nothing-new');
    const named = verdictBody(3, { devices: [{ machineId: 'm1', name: 'pc-1' }] });
    assert.equal(judgeTriage(life.record, { body: named, ifMatch: life.record.revision }, life.now), undefined);
    life.triage(3, { devices: [{ machineId: 'm1', name: 'pc-1' }] });
    assert.equal(life.duty('isolate:m1')?.status, 'owed');
    life.askDevices();
    assert.equal(life.record.devices[0]?.asked?.want, 'isolate');
    assert.equal(life.isolated('m1', minute(70)).duty('isolate:m1')?.status, 'done');
  });

  it('ends with the customer’s order as ever', () => {
    const life = told(isolatedLife(), 45, OUT).mailAll().at(50).release();
    assert.deepEqual(life.attention(), []);
    life.report('m1', 'releasing').report('m1', 'released', { at: OUT.at }).mailAll();
    assert.deepEqual([life.stage(), life.duty('release:m1')?.status], ['notified', 'done']);
    assert.equal(life.duty('mail:release-result:o0')?.status, 'done');
  });
});
