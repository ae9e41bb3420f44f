import { until } from '../../simulator/testing.js';
import { deviceWorkflowId } from '../../src/domain/device/record.js';
import { HOUR_MS, SECOND_MS } from '../../src/domain/time.js';
import { newDevice } from '../support/devices.js';
import { verdict, type House } from '../support/house.js';
import type { Kept, Path } from './paths.js';

/*
 * The paths on which something that waits is not waited for any longer.
 */

function incidentAndDevice(id: string, customerId: string, machineId: string): Kept[] {
  return [
    { as: 'incident', workflowId: id },
    { as: 'device', workflowId: deviceWorkflowId(customerId, machineId) },
  ];
}

function isolated(house: House, id: string) {
  return house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release', 30_000);
}

async function hasSignal(house: House, workflowId: string, name: string): Promise<boolean> {
  const { events } = await house.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).some(
    ({ workflowExecutionSignaledEventAttributes }) => workflowExecutionSignaledEventAttributes?.signalName === name,
  );
}

export const HURRIED_LIVES = {
  'looked-at-at-the-deadline': {
    house: 'usual',
    live: async (house, acme) => {
      const machineId = await newDevice(house, acme, { online: false });
      const alertCreationTime = new Date(Date.now() - 3 * HOUR_MS + 8 * SECOND_MS).toISOString();
      const { id } = await house.alert(acme, { machineId, alertCreationTime });
      await house.command(id, 'triage', verdict(3));
      await until('looked at', async () =>
        (await hasSignal(house, deviceWorkflowId(acme, machineId), 'look')) ? true : undefined,
      );
      await house.machine(acme, machineId, { online: true });
      await isolated(house, id);
      return incidentAndDevice(id, acme, machineId);
    },
  },
  'look-up-that-became-urgent': {
    house: 'usual',
    live: async (house, acme) => {
      const machineId = await newDevice(house, acme, {});
      const path = `/api/machines/${machineId}`;
      const fault = { target: 'defender', path, times: 99, status: 503 };
      const { id: faultId } = await house.control('POST', '/sim/faults', fault);
      const { id } = await house.alert(acme, { machineId });
      await until('the look-up is tried again', async () => {
        const { items } = await house.control('GET', '/sim/requests?target=defender');
        const tries = items.filter((request: { path: string }) => request.path.startsWith(path));
        return tries.length > 1 ? true : undefined;
      });
      await house.command(id, 'triage', verdict(3));
      await house.control('DELETE', `/sim/faults/${faultId}`);
      await isolated(house, id);
      return incidentAndDevice(id, acme, machineId);
    },
  },
} satisfies Record<string, Path>;
