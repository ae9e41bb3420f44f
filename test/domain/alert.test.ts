import assert from 'node:assert/strict';
import fc from 'fast-check';
import { alertRecordSchema, projectAlert, severityOf } from '../../src/domain/alert.js';
import { defenderAlertSchema, defenderMachineSchema, machineActionSchema, isFinal } from '../../src/domain/defender.js';
import { deviceKindOf, machineFacts, sameHost } from '../../src/domain/machine.js';
import { alertOf, DETECTED, rawAlert } from './life.js';

describe('an alert as Defender really sends it', () => {
  it('needs no more than an id and the time of its creation', () => {
    const record = alertOf({
      title: null,
      severity: null,
      detectionSource: null,
      machineId: null,
      computerDnsName: null,
      evidence: null,
      mitreTechniques: null,
      lastUpdateTime: null,
      classification: null,
    });
    assert.deepEqual(
      { ...record, neutralisation: null, matchable: null },
      {
        alertId: 'da1',
        title: 'da1',
        description: '',
        createdAt: DETECTED,
        lastUpdateAt: null,
        firstEventAt: null,
        lastEventAt: null,
        defenderIncidentId: null,
        severityRaw: null,
        severity: 'unknown',
        status: null,
        classification: null,
        determination: null,
        category: null,
        detectionSource: null,
        investigationState: null,
        threatName: null,
        machineId: null,
        computerDnsName: null,
        mitreTechniques: [],
        evidence: [],
        evidenceTotal: 0,
        fileHashes: [],
        neutralisation: null,
        matchable: null,
      },
    );
  });

  for (const [id, expected] of [
    ['da637472432420187519_-1089312459', 'da637472432420187519_-1089312459'],
    ['daefa1828b-dd4e-405c-8a3b-aa28596830dd_1', 'daefa1828b-dd4e-405c-8a3b-aa28596830dd_1'],
    [-1089312459, '-1089312459'],
  ] as const) {
    it(`takes the id ${id}`, () => assert.equal(alertOf({ id }).alertId, expected));
  }

  for (const [what, id] of [
    ['none', undefined],
    ['an empty one', ''],
    ['blanks', 'da 1'],
    ['a line break', 'da1\r\nBcc: x@y.example'],
    ['more than 128 characters', 'd'.repeat(129)],
    ['Japanese', 'アラート'],
  ] as const) {
    it(`refuses an id with ${what}`, () =>
      assert.equal(defenderAlertSchema.safeParse(rawAlert({ id })).success, false));
  }

  for (const [text, expected] of [
    ['2026-11-24T00:00:00.1234567Z', '2026-11-24T00:00:00.123Z'],
    ['2026-11-24T00:00:00', DETECTED],
    ['2026-11-24T09:00:00+09:00', DETECTED],
  ] as const) {
    it(`reads the time ${text} as UTC`, () => assert.equal(alertOf({ alertCreationTime: text }).createdAt, expected));
  }

  for (const alertCreationTime of [undefined, null, '', 'yesterday', 1_700_000_000]) {
    it(`refuses ${String(alertCreationTime)} as the time of the detection`, () => {
      assert.equal(defenderAlertSchema.safeParse(rawAlert({ alertCreationTime })).success, false);
    });
  }

  it('keeps going over values, keys and types never seen before', () => {
    const record = alertOf({
      severity: 'Catastrophic',
      status: 42,
      detectionSource: 'QuantumSensor',
      investigationState: { nested: true },
      incidentId: 4711,
      machineId: '',
      loggedOnUsers: [{ accountName: 'x' }],
      comments: [{ comment: null, createdBy: null }],
      mitreTechniques: ['T1059', null, 7],
      lastUpdateTime: 'not a time',
      evidence: [
        null,
        { entityType: null, novelty: [] },
        { entityType: 'File', fileName: 'a.exe', detectionStatus: 'Vaporised' },
      ],
    });
    assert.deepEqual(
      [record.severity, record.severityRaw, record.status, record.detectionSource, record.defenderIncidentId],
      ['unknown', 'Catastrophic', '42', 'QuantumSensor', '4711'],
    );
    assert.deepEqual([record.machineId, record.investigationState, record.lastUpdateAt], [null, null, null]);
    assert.deepEqual(record.mitreTechniques, ['T1059']);
    assert.deepEqual(record.neutralisation, { judged: 1, good: 0, active: 0 });
    assert.equal(record.evidenceTotal, 2);
  });

  for (const [raw, severity] of [
    ['High', 'High'],
    ['high', 'High'],
    ['Medium', 'Medium'],
    ['Low', 'Low'],
    ['Informational', 'Informational'],
    ['UnSpecified', 'unknown'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ] as const) {
    it(`reads the severity ${String(raw)} as ${severity}`, () => assert.equal(severityOf(raw), severity));
  }

  it('is kept small and free of line breaks whatever is in it', () => {
    const long = `Mal\r\nware\u2028${'虫'.repeat(50_000)}`;
    const evidence = Array.from({ length: 500 }, () => ({
      entityType: 'Process',
      fileName: long,
      filePath: long,
      processCommandLine: long,
      detectionStatus: long,
    }));
    const record = alertOf({
      title: long,
      description: long,
      severity: long,
      category: long,
      threatName: long,
      computerDnsName: long,
      mitreTechniques: Array.from({ length: 500 }, () => long),
      evidence,
    });
    const bytes = Buffer.byteLength(JSON.stringify(record));
    assert.ok(bytes < 64_000, `${bytes} bytes`);
    assert.equal(record.evidenceTotal, 500);
    assert.equal(record.title.length, 200);
    for (const line of [record.title, record.computerDnsName, record.evidence[0]?.what, record.threatName]) {
      assert.doesNotMatch(line ?? '', /[\r\n\u2028]/);
    }
  });

  it('gives a record of the one shape for any JSON around it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (extra, evidence) => {
        const parsed = defenderAlertSchema.safeParse({
          ...rawAlert({ evidence: [{ entityType: evidence }] }),
          ...extra,
        });
        if (parsed.success) alertRecordSchema.parse(projectAlert(parsed.data));
      }),
      { numRuns: 200, seed: 20_261_124 },
    );
  });
});

describe('what Defender did about the evidence', () => {
  const file = { entityType: 'File', fileName: 'a.exe' };
  for (const [what, evidence, expected] of [
    [
      'prevented and blocked',
      [
        { ...file, detectionStatus: 'Prevented' },
        { ...file, detectionStatus: 'BLOCKED' },
      ],
      [2, 2, 0],
    ],
    ['remediated', [{ ...file, detectionStatus: 'Detected', remediationStatus: 'Remediated' }], [1, 1, 0]],
    ['blocked but active', [{ ...file, detectionStatus: 'Blocked', remediationStatus: 'Active' }], [1, 0, 1]],
    ['only detected', [{ ...file, detectionStatus: 'Detected' }], [1, 0, 0]],
    ['not found', [{ ...file, remediationStatus: 'NotFound' }], [1, 0, 0]],
    [
      'users, machines and addresses prove nothing',
      [
        { entityType: 'User', detectionStatus: 'Blocked' },
        { entityType: 'Machine', remediationStatus: 'Active' },
        { entityType: 'Ip', detectionStatus: 'Prevented' },
      ],
      [0, 0, 0],
    ],
  ] as const) {
    it(what, () => {
      const { judged, good, active } = alertOf({ evidence }).neutralisation;
      assert.deepEqual([judged, good, active], expected);
    });
  }
});

describe('what is known of a machine', () => {
  for (const [osPlatform, kind] of [
    ['Windows10', 'windows-client'],
    ['Windows11', 'windows-client'],
    ['WindowsServer2016', 'windows-server'],
    ['Windows Server 2019', 'windows-server'],
    ['RedHatEnterpriseLinux', 'not-windows'],
    ['Ubuntu', 'not-windows'],
    ['CentOS', 'not-windows'],
    ['macOS', 'not-windows'],
    ['Other', 'unknown'],
    ['TempleOS', 'unknown'],
    [undefined, 'unknown'],
  ] as const) {
    it(`${String(osPlatform)} is ${kind}`, () => assert.equal(deviceKindOf(osPlatform), kind));
  }

  it('a machine with nulls and extras is read; one that is not there is not found', () => {
    const machine = defenderMachineSchema.parse({
      id: 'm1',
      computerDnsName: null,
      osPlatform: null,
      vmMetadata: null,
      mergedIntoMachineId: null,
      isExcluded: false,
    });
    assert.deepEqual(machineFacts('m1', machine), {
      machineId: 'm1',
      found: true,
      name: null,
      osPlatform: null,
      kind: 'unknown',
    });
    assert.equal(machineFacts('m1', undefined).found, false);
  });

  for (const [a, b, same] of [
    ['pc-1', 'PC-1.acme.local', true],
    ['pc-1.acme.local', 'pc-1', true],
    ['pc-1.acme.local', 'pc-1.other.local', false],
    ['pc-1', 'pc-10.acme.local', false],
    ['pc-1', 'pc-2', false],
  ] as const) {
    it(`${a} and ${b} are ${same ? 'one host' : 'two hosts'}`, () => assert.equal(sameHost(a, b), same));
  }

  it('a machine action of a new status goes on; only the four ends are ends', () => {
    const action = machineActionSchema.parse({
      id: 'a',
      type: 'Isolate',
      status: 'Queued',
      errorHResult: null,
      scope: 'Full',
    });
    assert.equal(isFinal(action), false);
    for (const status of ['Succeeded', 'Failed', 'TimeOut', 'Cancelled']) assert.equal(isFinal({ status }), true);
  });
});
