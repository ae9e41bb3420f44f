import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { customerWorkflowId, type ExclusionChange } from '../../src/domain/customers/record.js';
import { exclusionChangeSignal, hasExclusionQuery } from '../../src/workflows/messages.js';
import { House, verdict, type Reply } from '../support/house.js';

const FAR = '2099-01-01T00:00:00.000Z';
const TOOL = 'known-tool.exe';

describe('an alert that an exclusion covers', function () {
  this.timeout(60_000);
  let house: House;
  let acme: string;
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
  });
  after(() => house.close());

  const evidence = [{ entityType: 'File', fileName: TOOL, filePath: 'C:\\Tools', detectionStatus: 'Detected' }];
  const alert = (more: Record<string, unknown> = {}) => house.alert(acme, { evidence, ...more });
  const change = async (said: ExclusionChange) => {
    const handle = await house.client.workflow.signalWithStart('customer', {
      workflowId: customerWorkflowId(acme),
      taskQueue: house.taskQueue,
      args: [{ customerId: acme }],
      memo: { tuningPeriods: [], exclusionsRevision: 0 },
      signal: exclusionChangeSignal,
      signalArgs: [said],
    });
    // Answered once what came before has been taken.
    await handle.query(hasExclusionQuery, 'any');
  };
  const register = (exclusionId: string, fileName: string) =>
    change({
      change: 'set',
      exclusion: { exclusionId, conditions: { fileName }, registeredAt: new Date().toISOString(), expiresAt: FAR },
    });
  const excluded = (id: string) => house.incidentWhen(id, 'excluded', ({ closeReason }) => closeReason === 'excluded');

  it('closes while it waits for an analyst, stays where one has judged, and does not come anew', async () => {
    const [waiting, judged, other] = [await alert(), await alert(), await house.alert(acme)];
    await house.command(judged.id, 'triage', verdict(2));
    // A list lags; whoever is in none yet would be told a few seconds later.
    await until('it is listed', async () => {
      const { body } = await house.get('/v1/incidents?stage=awaiting-triage');
      return body.items.some(({ id }: Reply['body']) => id === waiting.id) ? true : undefined;
    });
    await register('exclusion:acme:tool', TOOL.toUpperCase());

    const closed = await excluded(waiting.id);
    assert.equal(closed.stage, 'closed');
    assert.equal(closed.exclusionId, 'exclusion:acme:tool');
    const rule = closed.explanation.find((one: Reply['body']) => one.rule === 'excluded');
    assert.equal(rule.passed, false);
    assert.match(rule.reason.en, /exclusion:acme:tool/);

    const later = await alert({ title: 'After it was registered' });
    await excluded(later.id);
    const told = await house.incidentWhen(judged.id, 'told', ({ stage }) => stage === 'notified');
    assert.equal(told.exclusionId, undefined);
    assert.equal((await house.incident(other.id)).stage, 'awaiting-triage');

    await until('both are listed, and no other', async () => {
      const { body } = await house.get('/v1/incidents?exclusion=exclusion:acme:tool');
      const ids = body.items.map(({ id }: Reply['body']) => id).sort();
      return ids.join() === [waiting.id, later.id].sort().join() ? true : undefined;
    });
    assert.deepEqual(await house.mails(waiting.id), []);
  });

  it('comes into scope with its next version once the exclusion has ended', async () => {
    await register('exclusion:acme:brief', 'brief-tool.exe');
    const brief = [
      { entityType: 'File', fileName: 'brief-tool.exe', filePath: 'C:\\Tools', detectionStatus: 'Detected' },
    ];
    const { id, alert: raised } = await alert({ evidence: brief });
    await excluded(id);
    await change({ change: 'ended', exclusionId: 'exclusion:acme:brief' });
    const newer = await house.control('PATCH', `/sim/tenants/${house.tenantOf(acme)}/alerts/${raised.id}`, {
      title: 'Once more',
    });
    assert.equal((await house.post(`/v1/customers/${acme}/alerts`, newer)).status, 200);
    const open = await house.incidentWhen(id, 'open', ({ stage }) => stage === 'awaiting-triage');
    assert.equal(open.exclusionId, undefined);
  });

  it('is compared again when Defender changes it', async () => {
    await register('exclusion:acme:renamed', 'renamed.exe');
    const { id, alert: raised } = await house.alert(acme);
    await house.incidentWhen(id, 'open', ({ stage }) => stage === 'awaiting-triage');
    const newer = await house.control('PATCH', `/sim/tenants/${house.tenantOf(acme)}/alerts/${raised.id}`, {
      evidence: [{ entityType: 'File', fileName: 'renamed.exe', filePath: 'C:\\Tools', detectionStatus: 'Detected' }],
    });
    await house.post(`/v1/customers/${acme}/alerts`, newer);
    await excluded(id);
  });
});
