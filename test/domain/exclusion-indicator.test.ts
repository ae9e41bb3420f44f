import assert from 'node:assert/strict';
import type { Conditions } from '../../src/domain/exclusion/conditions.js';
import { indicatorFor } from '../../src/domain/exclusion/indicator.js';
import { SHA1, SHA256 } from './exclusion-evidence.js';
import { DETECTED } from './life.js';

describe('what Defender itself can hold of an exclusion', () => {
  const answer = (conditions: Conditions) =>
    indicatorFor({ exclusionId: 'exclusion:acme:1', conditions, reason: 'Backup', expiresAt: DETECTED });

  for (const [conditions, type, value] of [
    [{ sha256: SHA256 }, 'FileSha256', SHA256],
    [{ sha1: SHA1 }, 'FileSha1', SHA1],
    [{ sha1: SHA1, sha256: SHA256 }, 'FileSha256', SHA256],
    [{ certificateThumbprint: SHA1 }, 'CertificateThumbprint', SHA1],
    [{ domain: 'cdn.vendor.example' }, 'DomainName', 'cdn.vendor.example'],
    [{ url: 'https://cdn.vendor.example/a' }, 'Url', 'https://cdn.vendor.example/a'],
    [{ url: 'https://cdn.vendor.example/a', domain: 'cdn.vendor.example' }, 'Url', 'https://cdn.vendor.example/a'],
    [{ ip: '203.0.113.5' }, 'IpAddress', '203.0.113.5'],
    [{ ip: '172.32.0.1' }, 'IpAddress', '172.32.0.1'],
  ] as const) {
    it(`${JSON.stringify(conditions)}: ${type}`, () => {
      const given = answer(conditions);
      assert.equal(given.kind, 'indicators');
      assert.deepEqual(
        given.indicators.map(({ indicatorType, indicatorValue, action }) => [indicatorType, indicatorValue, action]),
        [[type, value, 'Allowed']],
      );
      assert.equal(given.indicators[0]?.expirationTime, DETECTED);
      assert.match(given.warning.en, /lowers Defender’s own guard/);
      assert.match(given.warning.ja, /防御を弱めます/);
    });
  }

  for (const [conditions, lost] of [
    [{ fileName: 'a.exe' }, ['fileName']],
    [{ sha256: SHA256, folderPath: 'C:\\App' }, ['folderPath']],
    [{ sha256: SHA256, title: 'x', account: 'y' }, ['title', 'account']],
    [{ sha256: SHA256, ip: '203.0.113.5' }, ['ip']],
    [{ domain: '*.vendor.example' }, ['domain']],
    [{ domain: 'cdn.vendor.example', url: '*/update' }, ['url']],
    [{ ip: '10.1.2.3' }, ['ip']],
    [{ ip: '172.16.0.1' }, ['ip']],
    [{ ip: 'fe80::1' }, ['ip']],
  ] as const) {
    it(`${JSON.stringify(conditions)}: none, and says what would be lost`, () => {
      const given = answer(conditions);
      assert.equal(given.kind, 'none');
      assert.deepEqual(given.lost, lost);
      assert.ok(given.reason.en.length > 20 && given.reason.ja.length > 10);
    });
  }
});
