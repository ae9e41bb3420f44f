import { createHash } from 'node:crypto';
import type { Random } from '../random.js';
import type { MachineChanges } from './machine.js';

/** A device of a made-up customer: the same tenant and number are the same device again. */
export interface FleetDevice {
  machineId: string;
  computerDnsName: string;
  ipAddress: string;
  /** What Defender knows of it beside its name. */
  machine: MachineChanges;
}

export type Platform = 'windows' | 'other';

export interface Person {
  accountName: string;
  displayName: string;
}

interface Kind {
  prefix: string;
  osPlatform: string;
  version: string;
  osBuild: number | null;
}

const windows: readonly [Kind, ...Kind[]] = [
  { prefix: 'nb', osPlatform: 'Windows11', version: '23H2', osBuild: 22631 },
  { prefix: 'pc', osPlatform: 'Windows11', version: '24H2', osBuild: 26100 },
  { prefix: 'pc', osPlatform: 'Windows10', version: '22H2', osBuild: 19045 },
  { prefix: 'nb', osPlatform: 'Windows11', version: '23H2', osBuild: 22631 },
  { prefix: 'srv', osPlatform: 'WindowsServer2022', version: '21H2', osBuild: 20348 },
];

const others: readonly [Kind, ...Kind[]] = [
  { prefix: 'web', osPlatform: 'Ubuntu', version: '22.4', osBuild: null },
  { prefix: 'mac', osPlatform: 'macOS', version: '14.5', osBuild: null },
  { prefix: 'db', osPlatform: 'RedHatEnterpriseLinux', version: '8.9', osBuild: null },
];

const people: readonly [Person, ...Person[]] = [
  { accountName: 'm.ito', displayName: 'Ito Misaki' },
  { accountName: 'k.yamada', displayName: 'Yamada Kenji' },
  { accountName: 'r.kobayashi', displayName: 'Kobayashi Rin' },
  { accountName: 'h.mori', displayName: 'Mori Haruto' },
  { accountName: 'a.clarke', displayName: 'Anna Clarke' },
  { accountName: 'd.okafor', displayName: 'David Okafor' },
  { accountName: 'l.silva', displayName: 'Lucia Silva' },
  { accountName: 'p.novak', displayName: 'Petr Novak' },
  { accountName: 's.hayashi', displayName: 'Hayashi Sora' },
  { accountName: 'j.walker', displayName: 'Joanna Walker' },
];

export const somebody = (random: Random): Person => random.pick(people);

export const deviceOf = (tenantId: string, platform: Platform, number: number): FleetDevice => {
  const kinds = platform === 'windows' ? windows : others;
  const { prefix, ...system } = kinds[number % kinds.length] ?? kinds[0];
  const computerDnsName = `${prefix}-${String(number + 1).padStart(4, '0')}.corp.example`;
  const digest = createHash('sha1').update(`${tenantId}/${computerDnsName}`).digest();
  const ipAddress = `10.${(digest[0] ?? 0) % 64}.${digest[1] ?? 0}.${((digest[2] ?? 0) % 253) + 1}`;
  return {
    machineId: digest.toString('hex'),
    computerDnsName,
    ipAddress,
    machine: { computerDnsName, lastIpAddress: ipAddress, ...system },
  };
};
