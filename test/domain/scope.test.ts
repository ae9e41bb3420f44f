import assert from 'node:assert/strict';
import { assessScope, type DeviceKnowledge } from '../../src/domain/scope.js';
import { alertOf, isolatedLife, Life, minute } from './life.js';

const PREVENTED = { entityType: 'File', fileName: 'a.exe', detectionStatus: 'Prevented' };
const DETECTED_ONLY = { entityType: 'Process', fileName: 'a.exe', detectionStatus: 'Detected' };
const ACTIVE = { ...PREVENTED, remediationStatus: 'Active' };

type Verdict = 'in' | 'flagged' | 'out-of-scope' | 'neutralised';

interface Row {
  what: string;
  alert?: Record<string, unknown>;
  device?: DeviceKnowledge;
  also?: string[];
  is: Verdict;
  /** The rule that said so, where it is not simply in scope. */
  by?: string;
}

const ROWS: Row[] = [
  { what: 'High', is: 'in' },
  { what: 'Medium', alert: { severity: 'Medium' }, is: 'in' },
  { what: 'Low', alert: { severity: 'Low' }, is: 'out-of-scope', by: 'severity' },
  { what: 'Informational', alert: { severity: 'Informational' }, is: 'out-of-scope', by: 'severity' },
  { what: 'UnSpecified', alert: { severity: 'UnSpecified' }, is: 'flagged', by: 'severity' },
  { what: 'no severity', alert: { severity: null }, is: 'flagged', by: 'severity' },
  { what: 'a severity never seen', alert: { severity: 'Critical' }, is: 'flagged', by: 'severity' },

  ...['WindowsDefenderAtp', 'windowsdefenderatp', 'EDR', 'microsoftDefenderForEndpoint'].map(
    (detectionSource): Row => ({ what: detectionSource, alert: { detectionSource }, is: 'in' }),
  ),
  ...[
    'ThirdPartySensors',
    'WindowsDefenderAv',
    'Antivirus',
    'AutomatedInvestigation',
    'CustomDetection',
    'CustomerTI',
    'MTP',
    'OfficeATP',
    'ThreatExperts',
    'WindowsDefenderSmartScreen',
  ].map((detectionSource): Row => ({
    what: detectionSource,
    alert: { detectionSource },
    is: 'out-of-scope',
    by: 'edr',
  })),
  { what: 'a source that the contract names', alert: { detectionSource: 'MTP' }, also: ['mtp'], is: 'in' },
  { what: 'a source never seen', alert: { detectionSource: 'QuantumSensor' }, is: 'flagged', by: 'edr' },
  { what: 'no source', alert: { detectionSource: null }, is: 'flagged', by: 'edr' },

  { what: 'Windows Server', device: 'windows-server', is: 'in' },
  { what: 'Linux', device: 'not-windows', is: 'out-of-scope', by: 'windows' },
  { what: 'a system never seen', device: 'unknown', is: 'flagged', by: 'windows' },
  { what: 'a device that Defender does not know', device: 'not-found', is: 'flagged', by: 'windows' },
  { what: 'no device', device: 'no-device', is: 'flagged', by: 'windows' },
  { what: 'a device not looked up yet', device: 'not-looked-up', is: 'in' },

  { what: 'everything prevented', alert: { evidence: [PREVENTED, PREVENTED] }, is: 'neutralised', by: 'neutralised' },
  {
    what: 'everything prevented while the status is New',
    alert: { evidence: [PREVENTED], status: 'New', investigationState: 'UnsupportedAlertType' },
    is: 'neutralised',
    by: 'neutralised',
  },
  { what: 'a part prevented', alert: { evidence: [PREVENTED, DETECTED_ONLY] }, is: 'in' },
  { what: 'nothing to judge', alert: { evidence: [{ entityType: 'User', detectionStatus: 'Blocked' }] }, is: 'in' },
  { what: 'prevented but still active', alert: { evidence: [ACTIVE] }, is: 'in' },
  {
    what: 'remediated by the automated investigation',
    alert: { evidence: [DETECTED_ONLY], investigationState: 'SuccessfullyRemediated' },
    is: 'neutralised',
    by: 'neutralised',
  },
  {
    what: 'remediated, says the investigation, yet active, says the evidence',
    alert: { evidence: [ACTIVE], investigationState: 'SuccessfullyRemediated' },
    is: 'in',
  },
  ...['Failed', 'PartiallyRemediated', 'InnerFailure'].map((investigationState): Row => ({
    what: `all prevented, yet the investigation says ${investigationState}`,
    alert: { evidence: [PREVENTED], investigationState },
    is: 'in',
  })),
  { what: 'no threat found', alert: { evidence: [DETECTED_ONLY], investigationState: 'Benign' }, is: 'in' },
  ...['Queued', 'Running', 'PendingApproval', 'PendingResource', 'NeverSeen'].map((investigationState): Row => ({
    what: `investigation ${investigationState}`,
    alert: { investigationState },
    is: 'in',
  })),
  { what: 'Resolved, which proves nothing', alert: { status: 'Resolved' }, is: 'in' },
  { what: 'a title that says prevented', alert: { title: "'Emotet' malware was prevented" }, is: 'in' },
  {
    what: 'neutralised and Low',
    alert: { severity: 'Low', evidence: [PREVENTED] },
    is: 'out-of-scope',
    by: 'severity',
  },
];

describe('which alerts count', () => {
  for (const { what, alert = {}, device = 'windows-client', also = [], is, by } of ROWS) {
    it(`${what}: ${is}`, () => {
      const scope = assessScope(alertOf(alert), device, also);
      assert.equal(scope.inScope, is === 'in' || is === 'flagged');
      assert.equal(scope.closeReason, scope.inScope ? null : is);
      const telling = scope.explanation.filter(({ passed, flagged }) => !passed || flagged).map(({ rule }) => rule);
      assert.equal(telling[0], by);
      assert.deepEqual(
        scope.explanation.map(({ rule }) => rule),
        ['severity', 'edr', 'windows', 'neutralised'],
      );
      for (const { reason } of scope.explanation) {
        assert.match(reason.en, /[a-z].*[.]$/);
        assert.match(reason.ja, /[ぁ-ん].*。$/);
      }
    });
  }
});

describe('a later state of the alert counts', () => {
  it('neutralised while it waits for an analyst, it closes itself with the reason on the timeline', () => {
    const life = new Life().at(10).updated({ evidence: [PREVENTED] });
    assert.deepEqual([life.stage(), life.record.closed?.reason], ['closed', 'neutralised']);
    assert.ok(
      life.record.timeline.some(({ type, text }) => type === 'scope' && text.en.includes('blocked or remediated')),
    );
  });

  it('neutralised after the verdict, it stays what the analyst said', () => {
    const life = isolatedLife()
      .at(40)
      .updated({ evidence: [PREVENTED] });
    assert.equal(life.stage(), 'awaiting-release');
  });

  for (const [what, from, to] of [
    ['its severity rises', { severity: 'Low' }, { severity: 'High' }],
    ['its remediation fails', { investigationState: 'SuccessfullyRemediated' }, { investigationState: 'Failed' }],
  ] as const) {
    it(`out of scope, it opens when ${what}, and the clock counts from then`, () => {
      const life = new Life({ alert: from });
      assert.equal(life.stage(), 'closed');
      life.at(100).updated(to);
      assert.equal(life.stage(), 'awaiting-triage');
      assert.equal(life.slo().dueAt, minute(100 + 180));
      assert.ok(['closed', 'reopened'].every((type) => life.types().includes(type)));
    });
  }

  it('a Linux device closes it once it is known, and the unknown keeps it open', () => {
    assert.equal(new Life({ osPlatform: 'Ubuntu' }).record.closed?.reason, 'out-of-scope');
    assert.equal(new Life({ osPlatform: 'Other' }).stage(), 'awaiting-triage');
  });

  it('closed by an analyst, a more dangerous alert does not reopen it but is brought to attention, once to the SOC', () => {
    const life = new Life({ alert: { severity: 'Medium' } }).at(10).triage(1).at(20).updated({ severity: 'High' });
    assert.equal(life.stage(), 'closed');
    assert.deepEqual(life.attention(), ['changed-after-close']);
    assert.deepEqual(life.owed(), ['warn:notice:0: owed']);
  });

  const stays = { evidence: [PREVENTED, DETECTED_ONLY] };
  for (const [what, judgement, from, to, words] of [
    ['remediation fails', 'false-positive', stays, { ...stays, investigationState: 'Failed' }, /remediation failed/],
    [
      'remediation is partial',
      'false-positive',
      stays,
      { ...stays, investigationState: 'PartiallyRemediated' },
      /failed/,
    ],
    ['evidence is active again', 'false-positive', stays, { evidence: [PREVENTED, ACTIVE] }, /evidence is active/],
    [
      'evidence comes that was not stopped',
      'false-positive',
      stays,
      { evidence: [...stays.evidence, DETECTED_ONLY] },
      /active/,
    ],
    ['somebody calls it a true positive', 'false-positive', {}, { classification: 'TruePositive' }, /true positive/],
    ['somebody in the portal is sure', 'undetermined', {}, { classification: 'TruePositive' }, /true positive/],
    [
      'it is neutralised, and called a true positive',
      'false-positive',
      stays,
      { evidence: [PREVENTED], classification: 'TruePositive' },
      /true positive/,
    ],
  ] as const) {
    it(`closed by an analyst, it is told when ${what}`, () => {
      const life = new Life({ alert: { severity: 'Medium', ...from } }).at(10).triage(1, { judgement }).at(20);
      life.updated({ severity: 'Medium', ...to });
      assert.deepEqual([life.stage(), life.attention()], ['closed', ['changed-after-close']]);
      assert.match(life.record.socNotices.at(-1)?.text.en ?? '', words);
      life.at(30).updated({ severity: 'Medium', ...to, title: 'the same, under another name' });
      assert.equal(life.record.socNotices.length, 1);
    });
  }

  for (const [what, judgement, from, to] of [
    ['is resolved in the portal', 'false-positive', {}, { status: 'Resolved' }],
    ['is called a false positive there', 'false-positive', {}, { classification: 'FalsePositive' }],
    ['is called what the analyst judged it', 'true-positive', {}, { classification: 'TruePositive' }],
    ['is stopped', 'false-positive', stays, { evidence: [PREVENTED, PREVENTED] }],
    ['is found benign', 'false-positive', stays, { ...stays, investigationState: 'Benign' }],
    ['is less severe', 'false-positive', { severity: 'High' }, { severity: 'Medium' }],
    ['fails to be remediated below the scope', 'false-positive', {}, { severity: 'Low', investigationState: 'Failed' }],
  ] as const) {
    it(`closed by an analyst, an alert that ${what} is on the timeline and alarms nobody`, () => {
      const life = new Life({ alert: { severity: 'Medium', ...from } }).at(10).triage(1, { judgement }).at(20);
      life.updated({ severity: 'Medium', ...to });
      assert.deepEqual([life.stage(), life.attention(), life.owed()], ['closed', [], []]);
      assert.ok(life.types().includes('alert-updated'));
    });
  }

  it('closed by an analyst, one that began before this was told of goes on as it was', () => {
    const life = new Life({ alert: stays }).at(10).triage(1).at(20);
    const { watchesClosed: _, ...record } = life.record;
    life.record = record;
    life.updated({ ...stays, investigationState: 'Failed', classification: 'TruePositive' });
    assert.deepEqual(life.attention(), []);
  });

  it('reopened by an analyst, the rules do not take it away again', () => {
    const life = new Life({ alert: { severity: 'Low' } }).at(10);
    life.fact({ type: 'reopened', actor: 'ana', words: 'I want to see it', byRules: false });
    assert.equal(life.stage(), 'awaiting-triage');
    life.at(20).updated({ severity: 'Low', title: 'again' });
    assert.equal(life.stage(), 'awaiting-triage');
  });
});
