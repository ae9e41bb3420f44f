import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** The machine resource as Defender returns it; it says nothing of isolation. */
export interface MachineResource {
  id: string;
  mergedIntoMachineId: string | null;
  isPotentialDuplication: boolean;
  isExcluded: boolean;
  exclusionReason: string | null;
  computerDnsName: string;
  firstSeen: string;
  lastSeen: string;
  osPlatform: string;
  osVersion: string | null;
  osProcessor: string;
  version: string;
  lastIpAddress: string | null;
  lastExternalIpAddress: string | null;
  agentVersion: string;
  osBuild: number | null;
  healthStatus: string;
  deviceValue: string;
  rbacGroupId: number;
  rbacGroupName: string | null;
  riskScore: string;
  exposureLevel: string;
  isAadJoined: boolean;
  aadDeviceId: string | null;
  machineTags: string[];
  onboardingStatus: string;
  osArchitecture: string;
  managedBy: string;
  managedByStatus: string;
  defenderAvStatus: string;
  ipAddresses: { ipAddress: string; macAddress: string; type: string; operationalStatus: string }[];
  vmMetadata: null;
}

const longestTimerSeconds = 2_000_000;
const seconds = z.number().min(0).max(longestTimerSeconds);

const behaviourShape = {
  online: z.boolean(),
  /** How long isolating or releasing takes. */
  isolationSeconds: seconds,
  /** How long Defender goes on trying to reach it. */
  timeoutSeconds: seconds,
  isolationFails: z.boolean(),
  releaseFails: z.boolean(),
  /** null: as its osPlatform says. */
  supported: z.boolean().nullable(),
  /** A new action is not found for that long, as when another host of the API answers. */
  hideNewActionForSeconds: seconds,
};

export type MachineBehaviour = z.infer<z.ZodObject<typeof behaviourShape>>;

export const defaultBehaviour: MachineBehaviour = {
  online: true,
  isolationSeconds: 0.3,
  timeoutSeconds: 3 * 24 * 3600,
  isolationFails: false,
  releaseFails: false,
  supported: null,
  hideNewActionForSeconds: 0,
};

const resourceShape = {
  computerDnsName: z.string().min(1),
  osPlatform: z.string().min(1),
  osVersion: z.string().nullable(),
  version: z.string(),
  osBuild: z.int().nullable(),
  lastSeen: z.string(),
  lastIpAddress: z.string().nullable(),
  lastExternalIpAddress: z.string().nullable(),
  healthStatus: z.string(),
  onboardingStatus: z.string(),
  riskScore: z.string(),
  exposureLevel: z.string(),
  deviceValue: z.string(),
  rbacGroupId: z.int(),
  rbacGroupName: z.string().nullable(),
  aadDeviceId: z.string().nullable(),
  machineTags: z.array(z.string()),
  mergedIntoMachineId: z.string().nullable(),
  isPotentialDuplication: z.boolean(),
  isExcluded: z.boolean(),
};

const behaviourChangesSchema = z.object(behaviourShape).partial();
const resourceChangesSchema = z.object(resourceShape).partial();

export const machineChangesSchema = z.strictObject({ ...behaviourShape, ...resourceShape }).partial();
export type MachineChanges = z.infer<typeof machineChangesSchema>;

const unsupportedPlatforms = /^(Windows(XP|Vista|7|8|8\.1)|WindowsServer2008(R2)?|Android|iOS)$/i;

export class Machine {
  readonly resource: MachineResource;
  behaviour: MachineBehaviour = { ...defaultBehaviour };
  /** The truth, which Defender's API does not tell. */
  isolated = false;
  #hasOwnName = false;

  constructor(id: string, now: string) {
    this.resource = {
      id,
      mergedIntoMachineId: null,
      isPotentialDuplication: false,
      isExcluded: false,
      exclusionReason: null,
      computerDnsName: `desktop-${id.slice(0, 7)}`,
      firstSeen: now,
      lastSeen: now,
      osPlatform: 'Windows11',
      osVersion: null,
      osProcessor: 'x64',
      version: '23H2',
      lastIpAddress: '192.0.2.10',
      lastExternalIpAddress: '198.51.100.10',
      agentVersion: '10.8735.22631.3593',
      osBuild: 22631,
      healthStatus: 'Active',
      deviceValue: 'Normal',
      rbacGroupId: 0,
      rbacGroupName: null,
      riskScore: 'High',
      exposureLevel: 'Low',
      isAadJoined: true,
      aadDeviceId: null,
      machineTags: [],
      onboardingStatus: 'Onboarded',
      osArchitecture: '64-bit',
      managedBy: 'Intune',
      managedByStatus: 'Success',
      defenderAvStatus: 'Updated',
      ipAddresses: [{ ipAddress: '192.0.2.10', macAddress: '00005E005301', type: 'Ethernet', operationalStatus: 'Up' }],
      vmMetadata: null,
    };
  }

  change(changes: MachineChanges): void {
    this.behaviour = { ...this.behaviour, ...behaviourChangesSchema.parse(changes) };
    Object.assign(this.resource, resourceChangesSchema.parse(changes));
    if (changes.computerDnsName !== undefined) this.#hasOwnName = true;
  }

  /** The name in an alert counts only while nobody has named the machine: an alert is a snapshot. */
  nameUnlessNamed(computerDnsName: string): void {
    if (!this.#hasOwnName) this.change({ computerDnsName });
  }

  get canBeIsolated(): boolean {
    return this.behaviour.supported ?? !unsupportedPlatforms.test(this.resource.osPlatform);
  }
}

export const newMachineId = (): string => randomBytes(20).toString('hex');
