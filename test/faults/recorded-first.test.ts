import assert from 'node:assert/strict';
import { House, instruction, verdict } from '../support/house.js';

/*
 * A command is on the incident's record before anything follows from it: a server that dies in between must not leave a
 * device isolated or released, or a telephone ringing, by a command that nobody knows of any more.
 */

interface Time {
  seconds?: unknown;
  nanos?: number | null;
}

function nanosOf(time: Time | null | undefined): number {
  return Number(time?.seconds ?? 0) * 1e9 + (time?.nanos ?? 0);
}

describe('what follows from a command', () => {
  let house: House;
  before(async () => {
    house = await House.open();
  });
  after(() => house.close());

  async function eventTimes(workflowId: string, kind: 'update' | 'signal'): Promise<number[]> {
    const { events } = await house.client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? [])
      .filter((event) =>
        kind === 'update'
          ? event.workflowExecutionUpdateAcceptedEventAttributes != null
          : event.workflowExecutionSignaledEventAttributes != null,
      )
      .map(({ eventTime }) => nanosOf(eventTime));
  }

  it('comes after the command was recorded: isolation, telephone, release', async () => {
    const acme = house.customer('acme');
    const { id, alert } = await house.alert(acme);
    await house.command(id, 'triage', verdict(4));
    await house.incidentWhen(id, 'isolated and told', ({ stage }) => stage === 'awaiting-release');
    await house.command(id, 'release', { instruction: instruction() });
    await house.incidentWhen(id, 'released and told', ({ stage }) => stage === 'notified');

    const [judged, released] = await eventTimes(id, 'update');
    const requests = await eventTimes(`device:${acme}:${alert.machineId}`, 'signal');
    const [rung] = await eventTimes(`phone:${acme}`, 'signal');
    assert.ok(judged !== undefined && released !== undefined && rung !== undefined);
    assert.equal(requests.length, 2);
    const [isolate = 0, release = 0] = requests;
    assert.ok(isolate >= judged, `the device was asked ${(judged - isolate) / 1e6} ms before the verdict was recorded`);
    assert.ok(rung >= judged, `the telephone was asked ${(judged - rung) / 1e6} ms before the verdict was recorded`);
    assert.ok(release >= released, `the device was asked ${(released - release) / 1e6} ms before the instruction was`);
  });
});
