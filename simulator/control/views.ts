import type { Machine } from '../defender/machine.js';
import type { Tenant } from '../defender/tenant.js';
import type { Call } from '../twilio/call.js';

/** Defender's resource, how it behaves, and whether it really is isolated. */
export const machineView = (machine: Machine): Record<string, unknown> => ({
  ...machine.resource,
  ...machine.behaviour,
  isolated: machine.isolated,
});

export const tenantView = (tenant: Tenant): Record<string, unknown> => ({ tenantId: tenant.id, ...tenant.settings });

export const callView = (call: Call): Record<string, unknown> => ({
  sid: call.sid,
  to: call.params.To,
  from: call.params.From,
  startedAt: call.createdAt.toISOString(),
  endedAt: call.endedAt?.toISOString() ?? null,
  status: call.status,
  answeredBy: call.answeredBy,
  digits: call.digits,
  said: call.said,
  problems: call.problems,
});
