import assert from 'node:assert/strict';
import { conditionsSchema, type Conditions } from '../../src/domain/exclusion/conditions.js';
import { compile, doesMatch, findMatch } from '../../src/domain/exclusion/match.js';
import { matchableSchema } from '../../src/domain/exclusion/matchable.js';
import { DAY_MS, plus } from '../../src/domain/time.js';
import {
  CDN,
  EVE,
  EVIL,
  FILE_IN_APP,
  IN_APP,
  IN_TEMP,
  matchable,
  OTHER_IN_APP,
  OTHER_IP,
  registered,
  RUN,
  RUN_BY_EVE,
  RUN_BY_SVC,
  SCANNER,
  SHA1,
  SHA256,
  SVC,
} from './exclusion-evidence.js';
import { DETECTED } from './life.js';

interface Row {
  what: string;
  conditions: Conditions;
  evidence?: unknown[];
  alert?: Record<string, unknown>;
  is: boolean;
}

const MATCHES: Row[] = [
  { what: 'a file in its folder', conditions: FILE_IN_APP, evidence: [IN_APP], is: true },
  { what: 'another file beside it', conditions: FILE_IN_APP, evidence: [OTHER_IN_APP, IN_APP], is: true },
  {
    what: 'the name elsewhere and another file in the folder',
    conditions: FILE_IN_APP,
    evidence: [IN_TEMP, OTHER_IN_APP],
    is: false,
  },
  {
    what: 'a hash of one file and the name of another',
    conditions: { sha256: SHA256, fileName: 'b.exe' },
    evidence: [IN_APP, OTHER_IN_APP],
    is: false,
  },
  {
    what: 'a path that holds the name too',
    conditions: FILE_IN_APP,
    evidence: [{ ...IN_APP, filePath: 'C:\\App\\A.EXE' }],
    is: true,
  },
  {
    what: 'a path that leads out of the folder',
    conditions: { folderPath: 'C:\\App\\*' },
    evidence: [{ ...IN_APP, filePath: 'C:\\App\\..\\Temp' }],
    is: false,
  },
  { what: 'the hash in capitals', conditions: { sha1: SHA1.toUpperCase() }, evidence: [IN_APP], is: true },
  {
    what: 'the parent of the process',
    conditions: { fileName: 'a.exe' },
    evidence: [{ entityType: 'Process', fileName: 'cmd.exe', parentProcessFileName: 'a.exe' }],
    is: false,
  },
  { what: 'a command line', conditions: { commandLine: '*/backup' }, evidence: [RUN], is: true },
  {
    what: 'a command line of one and the folder of another process',
    conditions: { commandLine: '*/backup', folderPath: 'C:\\Temp' },
    evidence: [RUN, { ...RUN, filePath: 'C:\\Temp', processCommandLine: 'a.exe -enc' }],
    is: false,
  },

  {
    what: 'the title too',
    conditions: { ...FILE_IN_APP, title: 'suspicious powershell *' },
    evidence: [IN_APP],
    is: true,
  },
  { what: 'another title', conditions: { ...FILE_IN_APP, title: 'Ransomware' }, evidence: [IN_APP], is: false },
  {
    what: 'the detector',
    conditions: { ...FILE_IN_APP, detectorId: 'D-1' },
    evidence: [IN_APP],
    alert: { detectorId: 'd-1' },
    is: true,
  },
  {
    what: 'the detector where there is none',
    conditions: { ...FILE_IN_APP, detectorId: 'd-1' },
    evidence: [IN_APP],
    is: false,
  },
  {
    what: 'the threat',
    conditions: { ...FILE_IN_APP, threatName: 'tool' },
    evidence: [IN_APP],
    alert: { threatName: 'Tool' },
    is: true,
  },
  {
    what: 'the threat’s family',
    conditions: { ...FILE_IN_APP, threatName: 'fam' },
    evidence: [IN_APP],
    alert: { threatName: 'Tool', threatFamilyName: 'Fam' },
    is: true,
  },
  { what: 'the device by its bare name', conditions: { ...FILE_IN_APP, device: 'PC-1' }, evidence: [IN_APP], is: true },
  {
    what: 'the device by its full name',
    conditions: { ...FILE_IN_APP, device: 'pc-1.acme.local' },
    evidence: [IN_APP],
    is: true,
  },
  { what: 'the device by its id', conditions: { ...FILE_IN_APP, device: 'm1' }, evidence: [IN_APP], is: true },
  { what: 'another device', conditions: { ...FILE_IN_APP, device: 'pc-10' }, evidence: [IN_APP], is: false },

  {
    what: 'the process’s own account',
    conditions: { ...FILE_IN_APP, account: 'acme\\svc-*' },
    evidence: [RUN_BY_SVC, EVE],
    is: true,
  },
  {
    what: 'the process by another account',
    conditions: { ...FILE_IN_APP, account: 'acme\\svc-*' },
    evidence: [RUN_BY_EVE, SVC],
    is: false,
  },
  {
    what: 'the file, and its process by another account',
    conditions: { ...FILE_IN_APP, account: 'svc-backup' },
    evidence: [IN_APP, RUN_BY_EVE, SVC],
    is: false,
  },
  {
    what: 'the only account of the alert',
    conditions: { ...FILE_IN_APP, account: 'svc@acme.example' },
    evidence: [IN_APP, SVC],
    is: true,
  },
  {
    what: 'one of two accounts, nobody knows whose',
    conditions: { ...FILE_IN_APP, account: 'svc-backup' },
    evidence: [IN_APP, SVC, EVE],
    is: false,
  },
  {
    what: 'an account where none is named',
    conditions: { ...FILE_IN_APP, account: 'svc-backup' },
    evidence: [IN_APP],
    is: false,
  },

  { what: 'a domain', conditions: { domain: 'cdn.vendor.example' }, evidence: [CDN], is: true },
  { what: 'a domain with its sub-domains', conditions: { domain: '*.vendor.example' }, evidence: [CDN], is: true },
  { what: 'a domain within another', conditions: { domain: 'vendor.example' }, evidence: [CDN], is: false },
  { what: 'an account’s Windows domain', conditions: { domain: 'acme' }, evidence: [SVC], is: false },
  {
    what: 'a domain in the user part of a URL',
    conditions: { domain: 'cdn.vendor.example' },
    evidence: [{ url: 'https://cdn.vendor.example@evil.example/' }],
    is: false,
  },
  {
    what: 'the URL of one and the domain of another',
    conditions: { url: '*/update', domain: 'evil.example' },
    evidence: [CDN, EVIL],
    is: false,
  },
  { what: 'an address', conditions: { ip: '203.0.113.*' }, evidence: [OTHER_IP, SCANNER], is: true },
  {
    what: 'an address and a domain of two pieces',
    conditions: { ip: '203.0.113.5', domain: 'evil.example' },
    evidence: [EVIL, SCANNER],
    is: true,
  },
  {
    what: 'a file and the only URL',
    conditions: { ...FILE_IN_APP, url: '*vendor*' },
    evidence: [IN_APP, CDN],
    is: true,
  },
  {
    what: 'a file and one of two URLs, nobody knows whose',
    conditions: { ...FILE_IN_APP, url: '*vendor*' },
    evidence: [IN_APP, CDN, EVIL],
    is: false,
  },
  {
    what: 'a file with its own address',
    conditions: { ...FILE_IN_APP, ip: '203.0.113.5' },
    evidence: [{ ...IN_APP, ipAddress: '203.0.113.5' }, OTHER_IP],
    is: true,
  },

  { what: 'no evidence', conditions: FILE_IN_APP, evidence: [], is: false },
  {
    what: 'evidence that is nothing',
    conditions: FILE_IN_APP,
    evidence: [null, {}, { entityType: 'Registry' }],
    is: false,
  },
];

describe('which alerts an exclusion matches', () => {
  for (const { what, conditions, evidence = [], alert = {}, is } of MATCHES) {
    it(`${is ? 'matches' : 'does not match'}: ${what}`, () => {
      const given = conditionsSchema.parse(conditions);
      assert.equal(doesMatch(given, matchable(evidence, alert)), is);
      // What was stored and read again is matched no differently, and the index finds the same.
      const stored = matchableSchema.parse(JSON.parse(JSON.stringify(matchable(evidence, alert))));
      assert.equal(doesMatch(given, stored), is);
      assert.equal(findMatch([registered('e1', given)], stored, DETECTED) !== undefined, is);
    });
  }
});

describe('the first exclusion that matches', () => {
  const view = matchable([IN_APP]);
  const at = (days: number) => plus(DETECTED, days * DAY_MS);

  it('holds from its registration until before its expiry', () => {
    const list = [registered('e1', FILE_IN_APP)];
    const found = (when: string) => findMatch(list, view, when)?.exclusion.exclusionId;
    assert.deepEqual([plus(DETECTED, -1), DETECTED, plus(at(90), -1), at(90)].map(found), [
      undefined,
      'e1',
      'e1',
      undefined,
    ]);
  });

  it('is the one registered first, whatever the order of the list and however it is indexed', () => {
    const list = [
      registered('late', { sha256: SHA256 }, { registeredAt: at(3) }),
      registered('wild', { folderPath: 'C:\\App\\*' }, { registeredAt: at(2) }),
      registered('first', { fileName: 'a.exe' }, { registeredAt: at(1) }),
      registered('expired', { sha1: SHA1 }, { registeredAt: at(0), expiresAt: at(2) }),
    ];
    const found = (days: number) => findMatch(list, view, at(days))?.exclusion.exclusionId;
    assert.deepEqual([0, 1, 2, 5].map(found), ['expired', 'expired', 'first', 'first']);
    assert.equal(findMatch(list.toReversed(), view, at(5))?.exclusion.exclusionId, 'first');
    assert.equal(findMatch(list.slice(0, 2), view, at(5))?.exclusion.exclusionId, 'wild');
  });

  it('is none where there are none', () => assert.equal(findMatch([], view, DETECTED), undefined));

  for (const [what, conditionsOf] of [
    ['exact', (n: number) => ({ fileName: 'backup.exe', folderPath: `C:\\Program Files\\Vendor ${n}` })],
    ['that share an exact part', (n: number) => ({ fileName: 'common.exe', commandLine: `*--job=${n} *` })],
    ['with an exact part', (n: number) => ({ fileName: `tool${n}.exe`, commandLine: '*--run*' })],
    ['of wildcards alone', (n: number) => ({ folderPath: `*\\Vendor ${n}\\*`, commandLine: `*--job=${n} *` })],
  ] as const) {
    it(`is found among 10,000 ${what}, for an alert with 100 pieces`, () => {
      const list = Array.from({ length: 10_000 }, (_, n) =>
        registered(`e${n}`, conditionsSchema.parse(conditionsOf(n))),
      );
      const big = matchable(
        Array.from({ length: 100 }, (_, n) => ({
          fileName: n % 2 === 0 ? 'common.exe' : `backup${n}.exe`,
          filePath: `C:\\Program Files\\Some Vendor ${n}\\bin`,
          sha256: n.toString(16).padStart(64, '0'),
          processCommandLine: `"C:\\Program Files\\Some Vendor\\backup.exe" --nightly --target ${n}`,
        })),
      );
      assert.equal(big.evidence.length, 100);
      // Once for each change of the list, and then for each alert, the first of which finds nothing warm.
      const timed = (work: () => void): number => {
        const started = performance.now();
        work();
        return performance.now() - started;
      };
      let matcher = compile(list.slice(0, 0));
      const compileMs = timed(() => (matcher = compile(list)));
      const looks = Array.from({ length: 21 }, () => timed(() => assert.equal(matcher.find(big, DETECTED), undefined)));
      const [firstMs = Infinity] = looks;
      const medianMs = looks.toSorted((a, b) => a - b)[10] ?? Infinity;
      const said = `compiled in ${compileMs} ms, first look ${firstMs} ms, median ${medianMs} ms`;
      if (process.env['SHOW_TIMES'] !== undefined) console.log(what, said);
      assert.ok(medianMs < 50, said);
      assert.ok(compileMs + firstMs < 2_000, said);
    });
  }
});
