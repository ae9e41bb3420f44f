import type { DefenderMachine } from './defender.js';

export type DeviceKind = 'windows-client' | 'windows-server' | 'not-windows' | 'unknown';

const NOT_WINDOWS =
  /linux|ubuntu|debian|centos|red ?hat|rhel|suse|sles|fedora|oracle|amazon|alma|rocky|mariner|mac ?os|ios|ipados|android|unix|freebsd/i;

/** `osPlatform` is not enumerated by Defender; what is neither Windows nor a system known to be another is unknown. */
export function deviceKindOf(osPlatform: string | undefined): DeviceKind {
  if (osPlatform === undefined) return 'unknown';
  if (/windows/i.test(osPlatform)) return /server/i.test(osPlatform) ? 'windows-server' : 'windows-client';
  return NOT_WINDOWS.test(osPlatform) ? 'not-windows' : 'unknown';
}

/** What Defender said when a device was looked up. */
export interface MachineFacts {
  machineId: string;
  found: boolean;
  name: string | null;
  osPlatform: string | null;
  kind: DeviceKind;
}

export function machineFacts(machineId: string, machine: DefenderMachine | undefined): MachineFacts {
  return {
    machineId,
    found: machine !== undefined,
    name: machine?.computerDnsName ?? null,
    osPlatform: machine?.osPlatform ?? null,
    kind: deviceKindOf(machine?.osPlatform),
  };
}

/** Do both names mean the same host? A bare host name matches its fully qualified form. */
export function sameHost(a: string, b: string): boolean {
  const left = a.trim().toLowerCase();
  const right = b.trim().toLowerCase();
  if (left === right) return true;
  const bare = left.includes('.') ? right : left;
  const full = left.includes('.') ? left : right;
  return !bare.includes('.') && full.startsWith(`${bare}.`);
}
