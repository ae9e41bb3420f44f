import assert from 'node:assert/strict';
import {
  findings,
  isRipe,
  mayStillMend,
  stoppedStatuses,
  type Finding,
  type Problem,
  type Sighting,
} from '../../src/domain/audit.js';
import type { DeviceView } from '../../src/domain/device/evolve.js';
import { summaryOf, type IncidentSummary } from '../../src/domain/incident/view.js';
import { findingMail, incidentOf, type FindingReport } from '../../src/domain/templates/finding.js';
import { Life, isolatedLife, minute } from './life.js';
import { read } from './mail-reading.js';

const DUE = minute(180);
const ID = 'incident:acme:da1';

const untriaged = summaryOf(new Life().at(20).record, minute(20));
const closed = summaryOf(new Life().at(20).triage(1).at(21).record, minute(21));
const held: DeviceView = {
  machineId: 'm1',
  customerId: 'acme',
  name: 'pc-1.acme.local',
  isolation: 'isolated',
  heldBy: [ID],
  action: null,
};
const free: DeviceView = { ...held, isolation: 'none', heldBy: [] };

function incident(changes: Partial<Sighting> = {}): Sighting {
  return {
    type: 'incident',
    workflowId: ID,
    runId: 'r1',
    status: 'Running',
    stoppedAt: null,
    hasFailingTask: false,
    incident: untriaged,
    device: null,
    ...changes,
  };
}

function device(view: DeviceView | null, changes: Partial<Sighting> = {}): Sighting {
  return incident({ type: 'device', workflowId: 'device:acme:m1', incident: null, device: view, ...changes });
}

function phone(changes: Partial<Sighting> = {}): Sighting {
  return incident({ type: 'phone', workflowId: 'phone:acme', incident: null, ...changes });
}

function other(type: 'exclusionRequest' | 'alertFeed' | 'rejectedAlert', changes: Partial<Sighting> = {}): Sighting {
  return incident({ type, workflowId: `${type}:acme`, incident: null, ...changes });
}

const terminated = { status: 'Terminated', stoppedAt: minute(30) } as const;

describe('the audit: what stands still', () => {
  const ROWS: { what: string; seen: Sighting; at: number; found: Problem[] }[] = [
    { what: 'an incident that runs in time', seen: incident(), at: 30, found: [] },
    { what: 'in its last minute', seen: incident(), at: 180, found: [] },
    { what: 'over its time, while news may be under way', seen: incident(), at: 181.3, found: [] },
    { what: 'over its time by more than that', seen: incident(), at: 181.4, found: ['overdue'] },
    { what: 'whose task keeps failing', seen: incident({ hasFailingTask: true }), at: 30, found: ['stuck'] },
    { what: 'both', seen: incident({ hasFailingTask: true }), at: 190, found: ['stuck', 'overdue'] },
    { what: 'terminated', seen: incident(terminated), at: 30, found: ['stopped'] },
    { what: 'terminated, in its last moment', seen: incident(terminated), at: 179.9, found: ['stopped'] },
    { what: 'terminated, over its time', seen: incident(terminated), at: 180, found: ['stopped', 'overdue'] },
    {
      what: 'terminated, with a memo that nobody can read',
      seen: incident({ ...terminated, incident: null }),
      at: 999,
      found: ['stopped'],
    },
    { what: 'terminated after it was closed', seen: incident({ ...terminated, incident: closed }), at: 999, found: [] },
    { what: 'an exclusion, terminated', seen: other('exclusionRequest', terminated), at: 30, found: ['stopped'] },
    { what: 'an alert kept aside, terminated', seen: other('rejectedAlert', terminated), at: 30, found: ['stopped'] },
    { what: 'a feed, terminated: a worker starts another', seen: other('alertFeed', terminated), at: 30, found: [] },
    {
      what: 'a feed whose task keeps failing',
      seen: other('alertFeed', { hasFailingTask: true }),
      at: 30,
      found: ['stuck'],
    },
    { what: 'a device that is held', seen: device(held), at: 999, found: [] },
    { what: 'a device that is held, terminated', seen: device(held, terminated), at: 30, found: ['stopped'] },
    {
      what: 'a device that nobody has looked at yet, terminated',
      seen: device(null, terminated),
      at: 30,
      found: ['stopped'],
    },
    {
      what: 'a device on its way back, terminated',
      seen: device({ ...free, isolation: 'releasing' }, terminated),
      at: 30,
      found: ['stopped'],
    },
    { what: 'a free device, terminated', seen: device(free, terminated), at: 30, found: [] },
    {
      what: 'a device that could not be isolated, terminated',
      seen: device({ ...free, isolation: 'failed' }, terminated),
      at: 30,
      found: [],
    },
    { what: 'a telephone, terminated', seen: phone(terminated), at: 30, found: ['stopped'] },
    {
      what: 'what was set for a customer, terminated',
      seen: phone({ ...terminated, type: 'customer', workflowId: 'customer:acme' }),
      at: 30,
      found: ['stopped'],
    },
    { what: 'a telephone whose task keeps failing', seen: phone({ hasFailingTask: true }), at: 30, found: ['stuck'] },
  ];
  for (const { what, seen, at, found } of ROWS) {
    it(`${what}: ${found.join(', ') || 'nothing'}`, () => {
      assert.deepEqual(
        findings(seen, minute(at)).map(({ problem }) => problem),
        found,
      );
    });
  }

  it('however it was stopped', () => {
    for (const status of stoppedStatuses) {
      assert.equal(findings(incident({ ...terminated, status }), minute(30)).length, 1, status);
    }
  });

  it('not over its time once it is met, noted, or does not apply', () => {
    const met = isolatedLife();
    const breached = new Life().at(200);
    const lower = new Life().at(20).triage(2).mailAll();
    for (const { record, now } of [met, breached, lower]) {
      const summary: IncidentSummary = summaryOf(record, now);
      assert.deepEqual(findings(incident({ incident: summary }), minute(999)), []);
    }
  });

  it('the same at every look, anew for another run; the deadline once for all runs', () => {
    const keys = (seen: Sighting, at: number) => findings(seen, minute(at)).map(({ key }) => key);
    assert.deepEqual(keys(incident(terminated), 200), keys(incident(terminated), 999));
    const [stopped, overdue] = keys(incident(terminated), 200);
    const [stoppedAgain, overdueAgain] = keys(incident({ ...terminated, runId: 'r2' }), 200);
    assert.notEqual(stopped, stoppedAgain);
    assert.equal(overdue, overdueAgain);
    assert.deepEqual(keys(incident(), 200), [overdue]);
  });
});

describe('the audit: what may still mend by itself', () => {
  const only = (seen: Sighting, at: number): boolean[] =>
    findings(seen, minute(at)).map((each) => mayStillMend(seen, each));

  it('a running incident that is only late: its worker may just have come back', () => {
    assert.deepEqual(only(incident(), 200), [true]);
    assert.deepEqual(only(incident({ hasFailingTask: true }), 200), [false, false]);
    assert.deepEqual(only(incident(terminated), 200), [false, false]);
  });

  it('until it has been seen for long enough', () => {
    const patienceMs = 120_000;
    assert.equal(isRipe({}, 'k', patienceMs, minute(9)), false);
    assert.equal(isRipe({ k: minute(7.1) }, 'k', patienceMs, minute(9)), false);
    assert.equal(isRipe({ k: minute(7) }, 'k', patienceMs, minute(9)), true);
    assert.equal(isRipe({ other: minute(1) }, 'k', patienceMs, minute(9)), false);
  });
});

describe('the mail that tells of it', () => {
  function reportOf(seen: Sighting, at: number, more: Partial<FindingReport> = {}): FindingReport {
    const [first, ...others] = findings(seen, minute(at));
    assert.ok(first);
    return {
      findings: [first, ...others],
      seen,
      customer: { id: 'acme', name: '株式会社アクメ', timeZone: 'Asia/Tokyo' },
      foundAt: minute(at),
      namespace: 'default',
      socMailTo: 'soc@mimamori.example',
      ...more,
    };
  }
  const held24 = '2026-11-24 00:30 UTC';

  const CASES: { name: string; report: FindingReport; says: (RegExp | string)[]; not?: RegExp }[] = [
    {
      name: 'stopped',
      report: reportOf(incident(terminated), 31),
      says: [
        /処理が外部から停止されました[\s\S]*A process was stopped from outside/,
        '株式会社アクメ (acme)',
        ID,
        'Suspicious PowerShell command line',
        held24,
        /Due at: .*2026-11-24 03:00 UTC/,
        /Threat level: to be judged/,
        `temporal workflow reset --namespace default --workflow-id ${ID} --type LastWorkflowTask`,
      ],
      not: /Its time target has passed/,
    },
    {
      name: 'stopped and over its time',
      report: reportOf(incident(terminated), 200),
      says: [/A process was stopped/, /Its time target has passed meanwhile/],
    },
    {
      name: 'over its time, when the stop was told before',
      report: {
        ...reportOf(incident(terminated), 200),
        findings: [{ key: 'k', problem: 'overdue' } satisfies Finding],
      },
      says: [/nobody noted it/, /no longer runs/, /temporal workflow reset/],
    },
    {
      name: 'over its time while it runs',
      report: reportOf(incident(), 200),
      says: [/nobody noted it/, /temporal workflow describe/],
      not: /workflow reset/,
    },
    {
      name: 'stuck',
      report: reportOf(incident({ hasFailingTask: true }), 30),
      says: [/cannot go on/, /temporal workflow describe/],
      not: /workflow reset|Stands still since/,
    },
    {
      name: 'a device',
      report: reportOf(device(held, terminated), 31),
      says: [
        'pc-1.acme.local (m1): isolated',
        'pc-1.acme.local (m1): 隔離中',
        /Isolated for: incident:acme:da1/,
        /device:acme:m1/,
      ],
    },
    { name: 'a telephone', report: reportOf(phone(terminated), 31), says: [/phone:acme/, /ring them yourself/] },
    {
      name: 'what was set for a customer',
      report: reportOf(phone({ ...terminated, type: 'customer', workflowId: 'customer:acme' }), 31),
      says: [/customer:acme/, /tuning periods hold/],
    },
    {
      name: 'a customer who has left the file',
      report: reportOf(incident(terminated), 31, { customer: null }),
      says: [/Customer: acme/, /00:30 \(UTC\)/],
    },
  ];
  for (const { name, report, says, not } of CASES) {
    it(name, () => {
      const { text, html, to, kind } = read(findingMail(report));
      assert.deepEqual([kind, to], ['soc-failure', ['soc@mimamori.example']]);
      for (const expected of says) {
        assert.ok(
          typeof expected === 'string' ? text.includes(expected) : expected.test(text),
          `${String(expected)}\n${text}`,
        );
      }
      if (not !== undefined) assert.doesNotMatch(text, not);
      assert.match(html, /^<!doctype html>/);
    });
  }

  it('escapes what an alert says, also for a shell', () => {
    const title = '<img src=x>\r\nBcc: victim@rival.example';
    const workflowId = "incident:acme:$(reboot)'`x`";
    const seen = incident({ ...terminated, workflowId, incident: { ...untriaged, title } });
    const { text, html, subject } = read(findingMail(reportOf(seen, 31)));
    assert.doesNotMatch(html, /<img/);
    assert.doesNotMatch(`${subject}\n${text}`, /^Bcc/m);
    assert.ok(text.includes(`--workflow-id 'incident:acme:$(reboot)'\\''\`x\`' --type`), text);
  });

  it('names the incident that it is about, where there is just one', () => {
    assert.equal(incidentOf(incident()), ID);
    assert.equal(incidentOf(device(held)), ID);
    assert.equal(incidentOf(device({ ...held, heldBy: [ID, 'incident:acme:da2'] })), undefined);
    assert.equal(incidentOf(device(null)), undefined);
    assert.equal(incidentOf(phone()), undefined);
  });

  it('says until when, though it is long past', () => {
    assert.equal(untriaged.slo.dueAt, DUE);
    assert.match(read(findingMail(reportOf(incident(), 999))).text, /2026-11-24 03:00 UTC/);
  });
});
