import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { asked, calm, duty, englishCustomer } from '../support/effects.js';
import { House, TEXTS, type Reply, type SimMail } from '../support/house.js';

/*
 * The table of threat levels, row by row, over Defender's severities and inside and outside a tuning period. Every case
 * has a customer of its own: whatever reaches the world for that customer belongs to that case.
 */

const SEVERITIES = ['Medium', 'High', 'UnSpecified', 'Apocalyptic'] as const;
const LEVELS = [1, 2, 3, 4] as const;

interface Row {
  level: (typeof LEVELS)[number];
  severity: (typeof SEVERITIES)[number];
  tuning: boolean;
}

const ROWS: Row[] = LEVELS.flatMap((level) =>
  SEVERITIES.flatMap((severity) => [false, true].map((tuning) => ({ level, severity, tuning }))),
);

/** What the table owes at a level, to whom. */
const OWED = {
  1: { mail: false, isolated: [], rung: false, judgement: 'false-positive', said: '', stage: 'closed' },
  2: {
    mail: true,
    isolated: [],
    rung: false,
    judgement: 'undetermined',
    said: 'Level 2 (the SOC cannot call it safe)',
    stage: 'notified',
  },
  3: {
    mail: true,
    isolated: ['first'],
    rung: false,
    judgement: 'true-positive',
    said: 'Level 3 (malware strongly suspected on one device)',
    stage: 'awaiting-release',
  },
  4: {
    mail: true,
    isolated: ['first', 'second'],
    rung: true,
    judgement: 'true-positive',
    said: 'Level 4 (strongly suspected to be spreading over several devices)',
    stage: 'awaiting-release',
  },
} as const;

const JUDGED = {
  'true-positive': 'true positive',
  'false-positive': 'false positive',
  undetermined: 'Detection judged as: undetermined',
};
const QUESTION = 'Did you start this tool yourselves?';
const TUNING = 'Not isolated, because of the whitelist tuning period';

function stageOf({ level, tuning }: Row): string {
  const { stage } = OWED[level];
  return stage === 'awaiting-release' && tuning ? 'notified' : stage;
}

describe('the table of threat levels', () => {
  let house: House;
  let incidents: Reply['body'][];
  let mails: SimMail[];
  let calls: { to: string; status: string }[];
  const suffix = randomUUID().slice(0, 8);
  const customerOf = (index: number) => `row${index}-${suffix}`;
  const deviceOf = (index: number, which: 'first' | 'second') => `${which}-device-of-row-${index}`;

  before(async function () {
    this.timeout(60_000);
    house = await House.open({
      customers: ROWS.map(({ tuning }, index) =>
        englishCustomer(
          customerOf(index),
          index,
          tuning ? { tuningPeriods: [{ from: '2020-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' }] } : {},
        ),
      ),
    });
    incidents = await Promise.all(ROWS.map(play));
    await calm(house);
    mails = await house.mails();
    calls = await house.calls();
  });
  after(() => house.close());

  async function play({ level, severity, tuning }: Row, index: number): Promise<Reply['body']> {
    const customer = customerOf(index);
    const second = { machineId: deviceOf(index, 'second'), name: `second-${index}.globex.example` };
    await house.machine(customer, second.machineId, { computerDnsName: second.name });
    const { id } = await house.alert(customer, {
      severity,
      machineId: deviceOf(index, 'first'),
      computerDnsName: `first-${index}.globex.example`,
    });
    const { judgement } = OWED[level];
    await house.command(id, 'triage', {
      level,
      judgement,
      ...TEXTS,
      ...(judgement === 'undetermined' ? { askCustomer: QUESTION } : {}),
      ...(level === 4 ? { devices: [second] } : {}),
    });
    const stage = stageOf({ level, severity, tuning });
    return house.incidentWhen(id, stage, (incident) => incident.stage === stage, 40_000);
  }

  ROWS.forEach((row, index) => {
    const { level, severity, tuning } = row;
    const owed = OWED[level];
    const place = tuning ? 'inside a tuning period' : 'outside tuning periods';
    const isolated = tuning ? [] : owed.isolated.map((which) => deviceOf(index, which));

    it(`level ${level}, severity ${severity}, ${place}`, async () => {
      const customer = customerOf(index);
      const incident = incidents[index];
      const ours = mails.filter(({ headers }) => headers['x-mimamori-incident'] === incident.id);
      const kinds = ours.map(({ headers }) => headers['x-mimamori-kind']);
      const result = isolated.length > 0 ? ['isolation-result'] : [];
      assert.deepEqual(kinds, owed.mail ? ['primary', ...result] : []);
      for (const mail of ours) assert.deepEqual([mail.to, mail.cc], [[`security-${serial(index)}@globex.example`], []]);

      const requested = await asked(house, customer, 'isolate');
      assert.deepEqual(requested.toSorted(), [...isolated].sort());
      assert.deepEqual(await asked(house, customer, 'unisolate'), []);
      const confirmed = (await house.actions(customer)).map(({ type, status, machineId }) => [type, status, machineId]);
      assert.deepEqual(
        confirmed.toSorted(),
        isolated.map((machineId) => ['Isolate', 'Succeeded', machineId]),
      );

      const rung = calls.filter(({ to }) => to.endsWith(serial(index))).map(({ to }) => to);
      assert.deepEqual(rung, owed.rung ? [`+44207946${serial(index)}`] : []);
      assert.equal(duty(incident, 'phone')?.['status'], owed.rung ? 'done' : undefined);

      const hasClock = level >= 3 && severity !== 'Medium';
      assert.deepEqual(incident.slo.state, hasClock ? 'met' : 'not-applicable');
      assert.deepEqual(incident.attention, []);
      assert.equal(incident.closeReason, level === 1 ? 'no-threat' : undefined);
      if (tuning && owed.isolated.length > 0) {
        const waived = duty(incident, `isolate:${deviceOf(index, 'first')}`);
        assert.deepEqual([waived?.['status'], waived?.['reason']], ['waived', 'tuning-period']);
      }
      if (owed.mail) assertTold(ours, row);
    });
  });

  function serial(index: number): string {
    return String(index).padStart(4, '0');
  }

  function assertTold([primary, result]: SimMail[], { level, severity, tuning }: Row): void {
    const owed = OWED[level];
    assert.ok(primary);
    for (const part of ['text', 'html'] as const) {
      const body = primary[part];
      for (const words of [severity, ...Object.values(TEXTS)]) assert.ok(body.includes(words), `${part}: ${words}`);
    }
    const { text } = primary;
    assert.ok(text.includes(owed.said), text);
    assert.ok(text.includes(JUDGED[owed.judgement]), text);
    assert.equal(text.includes(QUESTION), owed.judgement === 'undetermined');
    assert.equal(text.split(TUNING).length - 1, tuning ? owed.isolated.length : 0, text);
    assert.equal(text.includes('No device was isolated, as this is threat level 2.'), level === 2);
    assert.equal(/ring|call was acknowledged/.test(text), owed.rung, text);
    // Before Defender has confirmed it, no mail may say that a device is isolated.
    if (tuning || level === 2) assert.doesNotMatch(text, /Isolated from the network since/);
    const isolatedLines = result?.text.match(/Isolated from the network since/g) ?? [];
    assert.equal(isolatedLines.length, tuning ? 0 : owed.isolated.length);
  }
});
