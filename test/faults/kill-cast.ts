import type { z } from 'zod';
import type { Moment } from '../../simulator/index.js';
import type { customersFileSchema } from '../../src/domain/customer.js';

/** Who appears in one life: a customer of its own, so that nothing of two lives ever meets. */
export interface Cast {
  customerId: string;
  tenantId: string;
  alertId: string;
  /** The alert's own device, then the two that the analyst names. */
  machineIds: [string, string, string];
  /** The first is never answered; at the second somebody presses the key. */
  phones: [string, string];
  mailTo: string;
}

export const MACHINE_NAMES = ['pc-own.example', 'pc-second.example', 'pc-third.example'] as const;

export function castOf(index: number): Cast {
  const digits = String(index).padStart(4, '0');
  const machine = (which: number) => `${digits}${which}`.repeat(8);
  return {
    customerId: `life-${digits}`,
    tenantId: `44444444-4444-4444-8444-44444444${digits}`,
    alertId: `alert-${digits}`,
    machineIds: [machine(1), machine(2), machine(3)],
    phones: [`+8131111${digits}`, `+8132222${digits}`],
    mailTo: `security-${digits}@life.example`,
  };
}

export function customerOf(cast: Cast): z.input<typeof customersFileSchema>['customers'][number] {
  const [first, second] = cast.phones;
  return {
    id: cast.customerId,
    name: 'Globex Ltd',
    language: 'en',
    timeZone: 'Europe/London',
    // What its feed would find was handed in by the caller already.
    defender: { tenantId: cast.tenantId, pollIntervalSeconds: 3600 },
    mail: { to: [cast.mailTo] },
    contacts: [
      { id: 'jones', name: 'Alex Jones', phone: first, mayInstruct: true, ringOrder: 1 },
      { id: 'smith', name: 'Kim Smith', phone: second, mayInstruct: true, ringOrder: 2 },
    ],
  };
}

/** Is it this life that the moment belongs to? */
export function concerns(moment: Moment, cast: Cast): boolean {
  if (moment.kind === 'call') return cast.phones.includes(moment.to);
  switch (moment.target) {
    case 'defender':
      return moment.tenantId === cast.tenantId || cast.machineIds.some((id) => moment.path.includes(id));
    case 'smtp':
      return moment.path.includes(cast.mailTo);
    case 'twilio':
      return cast.phones.includes(new URLSearchParams(moment.body).get('To') ?? '');
    case 'imap':
    case 'entra':
      return false;
  }
}
