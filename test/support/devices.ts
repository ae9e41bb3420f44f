import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { until } from '../../simulator/testing.js';
import type { House, Reply } from './house.js';

/* Devices that behave as a test wants them to, and what somebody does to them past the service. */

/** A device that nobody has heard of before. */
export async function newDevice(house: House, customer: string, behaviour: Record<string, unknown>): Promise<string> {
  const machineId = randomBytes(20).toString('hex');
  await house.machine(customer, machineId, { ...behaviour, computerDnsName: `pc-${machineId.slice(0, 6)}.example` });
  return machineId;
}

/** Is it really cut off from the network, whatever anybody says? */
export async function isCutOff(house: House, customer: string, machineId: string): Promise<boolean> {
  const { items } = await house.control('GET', `/sim/tenants/${house.tenantOf(customer)}/machines`);
  const machines = z.array(z.object({ id: z.string(), isolated: z.boolean() })).parse(items);
  return machines.some(({ id, isolated }) => id === machineId && isolated);
}

export async function actionsOf(house: House, customer: string, machineId: string): Promise<string[]> {
  const all = await house.actions(customer);
  return all.filter((action) => action.machineId === machineId).map(({ type, status }) => `${type} ${status}`);
}

/** The only action on the device comes to be in that status. */
export function actionIs(house: House, customer: string, machineId: string, expected: string): Promise<string> {
  return until(`${machineId}: ${expected}`, async () => {
    const actions = await actionsOf(house, customer, machineId);
    assert.ok(actions.length <= 1, `more than one action: ${actions.join(', ')}`);
    return actions.find((action) => action === expected);
  });
}

/** What an administrator does in Defender's own portal, past the service. */
export async function inPortal(
  house: House,
  customer: string,
  machineId: string,
  type: 'isolate' | 'unisolate',
): Promise<void> {
  const tenant = `/sim/tenants/${house.tenantOf(customer)}`;
  await house.control('POST', `${tenant}/machines/${machineId}/portal`, { type });
}

/** Waits until the primary is with the customer and Defender has taken the request. */
export function toldAndRequested(house: House, id: string, machineId: string): Promise<Reply['body']> {
  return house.incidentWhen(id, 'told, isolation requested', ({ duties, devices }) => {
    const all = z.array(z.object({ id: z.string(), status: z.string() })).parse(duties);
    const statusOf = (dutyId: string) => all.find((duty) => duty.id === dutyId)?.status;
    const [device] = z.array(z.object({ machineId: z.string(), isolation: z.string() })).parse(devices);
    return (
      statusOf('mail:primary') === 'done' &&
      statusOf(`isolate:${machineId}`) === 'running' &&
      device?.isolation === 'requested'
    );
  });
}
