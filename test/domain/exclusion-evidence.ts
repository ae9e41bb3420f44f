import { defenderAlertSchema } from '../../src/domain/defender.js';
import type { Conditions } from '../../src/domain/exclusion/conditions.js';
import type { RegisteredExclusion } from '../../src/domain/exclusion/match.js';
import { matchableOf, type Matchable } from '../../src/domain/exclusion/matchable.js';
import { DAY_MS, plus } from '../../src/domain/time.js';
import { DETECTED, rawAlert } from './life.js';

/* Evidence as Defender sends it, and exclusions for it. */

export const SHA1 = 'a'.repeat(40);
export const SHA256 = 'b'.repeat(64);

export function matchable(evidence: unknown[], changes: Record<string, unknown> = {}): Matchable {
  return matchableOf(defenderAlertSchema.parse(rawAlert({ evidence, ...changes })));
}

export const IN_APP = { entityType: 'File', fileName: 'a.exe', filePath: 'C:\\App', sha1: SHA1, sha256: SHA256 };
export const IN_TEMP = { entityType: 'File', fileName: 'a.exe', filePath: 'C:\\Temp' };
export const OTHER_IN_APP = { entityType: 'File', fileName: 'b.exe', filePath: 'C:\\App' };
export const RUN = {
  entityType: 'Process',
  fileName: 'a.exe',
  filePath: 'C:\\App',
  processCommandLine: 'a.exe /backup',
};
export const RUN_BY_SVC = { ...RUN, accountName: 'svc-backup', domainName: 'ACME' };
export const RUN_BY_EVE = { ...RUN, accountName: 'eve', domainName: 'ACME' };
export const SVC = {
  entityType: 'User',
  accountName: 'svc-backup',
  domainName: 'ACME',
  userPrincipalName: 'svc@acme.example',
};
export const EVE = { entityType: 'User', accountName: 'eve', domainName: 'ACME' };
export const CDN = { entityType: 'Url', url: 'https://cdn.vendor.example/update' };
export const EVIL = { entityType: 'Url', url: 'http://evil.example/x' };
export const SCANNER = { entityType: 'Ip', ipAddress: '203.0.113.5' };
export const OTHER_IP = { entityType: 'Ip', ipAddress: '198.51.100.7' };

export const FILE_IN_APP: Conditions = { fileName: 'a.exe', folderPath: 'C:\\App' };

export function registered(exclusionId: string, conditions: Conditions, changes: Partial<RegisteredExclusion> = {}) {
  return { exclusionId, conditions, registeredAt: DETECTED, expiresAt: plus(DETECTED, 90 * DAY_MS), ...changes };
}
