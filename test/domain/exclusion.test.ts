import assert from 'node:assert/strict';
import fc from 'fast-check';
import { breadthOf } from '../../src/domain/exclusion/breadth.js';
import { conditionsSchema, conditionsWords, type Conditions } from '../../src/domain/exclusion/conditions.js';
import { indicatorFor } from '../../src/domain/exclusion/indicator.js';
import { compile, doesMatch, findMatch, type RegisteredExclusion } from '../../src/domain/exclusion/match.js';
import {
  hostOf,
  isEvidenceCut,
  matchableOf,
  matchableSchema,
  type Matchable,
} from '../../src/domain/exclusion/matchable.js';
import { comparable, fold, holds, plainFolder, toPattern } from '../../src/domain/exclusion/pattern.js';
import { defenderAlertSchema } from '../../src/domain/defender.js';
import { inputErrors } from '../../src/domain/input.js';
import { DAY_MS, plus } from '../../src/domain/time.js';
import { DETECTED, rawAlert } from './life.js';

const SHA1 = 'a'.repeat(40);
const SHA256 = 'b'.repeat(64);

function matchable(evidence: unknown[], changes: Record<string, unknown> = {}): Matchable {
  return matchableOf(defenderAlertSchema.parse(rawAlert({ evidence, ...changes })));
}

const IN_APP = { entityType: 'File', fileName: 'a.exe', filePath: 'C:\\App', sha1: SHA1, sha256: SHA256 };
const IN_TEMP = { entityType: 'File', fileName: 'a.exe', filePath: 'C:\\Temp' };
const OTHER_IN_APP = { entityType: 'File', fileName: 'b.exe', filePath: 'C:\\App' };
const RUN = { entityType: 'Process', fileName: 'a.exe', filePath: 'C:\\App', processCommandLine: 'a.exe /backup' };
const RUN_BY_SVC = { ...RUN, accountName: 'svc-backup', domainName: 'ACME' };
const RUN_BY_EVE = { ...RUN, accountName: 'eve', domainName: 'ACME' };
const SVC = {
  entityType: 'User',
  accountName: 'svc-backup',
  domainName: 'ACME',
  userPrincipalName: 'svc@acme.example',
};
const EVE = { entityType: 'User', accountName: 'eve', domainName: 'ACME' };
const CDN = { entityType: 'Url', url: 'https://cdn.vendor.example/update' };
const EVIL = { entityType: 'Url', url: 'http://evil.example/x' };
const SCANNER = { entityType: 'Ip', ipAddress: '203.0.113.5' };
const OTHER_IP = { entityType: 'Ip', ipAddress: '198.51.100.7' };

describe('a pattern', () => {
  const ROWS: [string, string, boolean][] = [
    ['abc', 'abc', true],
    ['ABC', 'abc', true],
    ['abc', 'abcd', false],
    ['abc', 'ab', false],
    ['a*', 'abc', true],
    ['a*', 'a', true],
    ['*c', 'abc', true],
    ['*c', 'abcd', false],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*a', 'a', false],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['a**c', 'abc', true],
    ['*b*', 'abc', true],
    ['*ab*ab*', 'abab', true],
    ['*ab*ab*', 'aba', false],
    ['a.c', 'abc', false],
    ['(a+)+$', '(a+)+$', true],
    ['a?c', 'abc', false],
    ['*バックアップ*', '夜間バックアップ.exe', true],
    ['*İ', 'xİ', true],
    ['ｂ.exe', 'Ｂ.EXE', true],
    ['É.exe', 'é.exe', true],
  ];
  for (const [pattern, text, expected] of ROWS) {
    it(`${pattern} ${expected ? 'holds' : 'does not hold'} for ${text}`, () =>
      assert.equal(holds(toPattern('title', pattern), comparable('title', text)), expected));
  }

  it('takes no letter outside ASCII for one inside', () => {
    // The Kelvin sign, the dotted and the long s: their lower or upper forms are ASCII in most tables.
    assert.deepEqual(['\u212a.exe', '\u0130', '\u017f'].map(fold), ['\u212a.exe', '\u0130', '\u017f']);
  });

  const FOLDERS: [string, string, boolean][] = [
    ['C:\\App', 'c:\\app', true],
    ['C:\\App\\', 'C:\\App', true],
    ['C:/App', 'C:\\App', true],
    ['C:\\App', 'C:\\App\\Sub', false],
    ['C:\\App\\*', 'C:\\App\\Sub', true],
    ['C:\\App\\*', 'C:\\App', true],
    ['C:\\App\\*', 'C:\\Apparatus', false],
    ['C:\\App*', 'C:\\Apparatus', true],
    ['C:\\Users\\*\\App', 'C:\\Users\\taro\\App', true],
    ['C:\\Users\\*\\App', 'C:\\Users\\taro\\App\\Sub', false],
    ['\\\\server\\share\\*', '\\\\SERVER\\share\\x', true],
    ['C:\\App\\*', 'D:\\x\\C:\\App\\y', false],
  ];
  for (const [pattern, folder, expected] of FOLDERS) {
    it(`the folder ${pattern} ${expected ? 'holds' : 'does not hold'} for ${folder}`, () =>
      assert.equal(holds(toPattern('folderPath', pattern), comparable('folderPath', folder)), expected));
  }

  const CUT: [string, boolean][] = [
    ['app.exe --quiet', false],
    ['app.exe*', true],
    ['app.exe --quiet*', true],
    ['app.exe --quiet --more*', false],
    ['*quiet', false],
    ['*quiet*', true],
  ];
  for (const [pattern, expected] of CUT) {
    it(`of a text that goes on behind "app.exe --quiet", ${pattern} ${expected ? 'holds' : 'does not hold'}`, () =>
      assert.equal(
        holds(toPattern('commandLine', pattern), comparable('commandLine', 'app.exe --quiet', true)),
        expected,
      ));
  }

  it('agrees with the plain definition, and of a cut text never says more', () => {
    const letters = (max: number) => fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: max });
    const plainly = (pattern: string, text: string): boolean => {
      if (pattern === '') return text === '';
      if (!pattern.startsWith('*')) return pattern[0] === text[0] && plainly(pattern.slice(1), text.slice(1));
      return Array.from({ length: text.length + 1 }).some((_, from) => plainly(pattern.slice(1), text.slice(from)));
    };
    fc.assert(
      fc.property(letters(7), letters(9), fc.nat(9), (pattern, text, length) => {
        const whole = holds(toPattern('title', pattern), comparable('title', text));
        assert.equal(whole, plainly(pattern, text));
        const isCut = length < text.length;
        if (holds(toPattern('title', pattern), { text: text.slice(0, length), isCut })) assert.ok(whole || !isCut);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no longer for a text made to make it try again', () => {
    const pattern = toPattern('commandLine', `${'*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'.repeat(10)}*`);
    const text = comparable('commandLine', 'a'.repeat(1_000_000));
    const started = performance.now();
    assert.equal(holds(pattern, text), false);
    assert.ok(performance.now() - started < 500);
  });
});

describe('what an exclusion may consist of', () => {
  const ROWS: [string, unknown, string[]][] = [
    ['a hash', { sha256: SHA256 }, []],
    ['a file name', { fileName: 'backup.exe' }, []],
    ['a folder with wildcards', { folderPath: 'C:\\Users\\*\\AppData\\Local\\Acme\\*' }, []],
    ['a title beside a folder', { title: 'Suspicious *', folderPath: 'C:\\App' }, []],
    ['nothing', {}, ['conditions']],
    ['a title alone', { title: 'Suspicious PowerShell command line' }, ['conditions']],
    ['a category alone', { category: 'Malware' }, ['conditions']],
    ['a device alone', { device: 'pc-1' }, ['conditions']],
    ['an account alone', { account: 'ACME\\svc' }, ['conditions']],
    ['a detector alone', { detectorId: 'd1' }, ['conditions']],
    ['a threat alone', { threatName: 'Emotet' }, ['conditions']],
    ['all that is not specific', { title: 't', category: 'c', device: 'd', account: 'a' }, ['conditions']],
    ['an extension only', { fileName: '*.exe' }, ['conditions']],
    ['a drive only', { folderPath: 'C:\\*' }, ['conditions']],
    ['a top-level domain only', { domain: '*.com' }, ['conditions']],
    ['a scheme only', { url: 'https://*' }, ['conditions']],
    ['a whole class of addresses', { ip: '10.*' }, ['conditions']],
    ['a small net', { ip: '203.0.113.*' }, []],
    ['an asterisk', { fileName: '*' }, ['conditions.fileName']],
    ['asterisks and blanks', { commandLine: ' * * ' }, ['conditions.commandLine']],
    ['an empty text', { folderPath: '', fileName: 'a.exe' }, ['conditions.folderPath']],
    ['blanks', { url: '   ' }, ['conditions.url']],
    ['half a hash', { sha1: 'abc*' }, ['conditions.sha1']],
    ['a hash of another kind', { sha256: SHA1 }, ['conditions.sha256']],
    ['a path as a name', { fileName: 'C:\\App\\a.exe' }, ['conditions.fileName']],
    ['a way back up', { folderPath: 'C:\\App\\..\\Temp' }, ['conditions.folderPath']],
    ['a URL as a domain', { domain: 'https://evil.example' }, ['conditions.domain']],
    ['a range', { ip: '10.0.0.0/8' }, ['conditions.ip']],
    ['a field nobody knows', { fileNmae: 'a.exe' }, ['conditions.fileNmae']],
    ['too many wildcards', { commandLine: 'abc*'.repeat(11) }, ['conditions.commandLine']],
    ['too long a text', { commandLine: 'a'.repeat(501) }, ['conditions.commandLine']],
    ['no text', { fileName: 5 }, ['conditions.fileName']],
  ];
  for (const [what, conditions, expected] of ROWS) {
    it(`${expected.length === 0 ? 'takes' : 'refuses'} ${what}`, () => {
      const parsed = conditionsSchema.safeParse(conditions);
      const paths = parsed.success
        ? []
        : inputErrors(parsed.error).map(({ path }) => (path === '' ? 'conditions' : `conditions.${path}`));
      assert.deepEqual([...new Set(paths)], expected);
    });
  }

  it('says itself in both languages', () => {
    assert.deepEqual(conditionsWords({ fileName: 'a.exe', folderPath: 'C:\\App\\*' }), {
      en: 'file name "a.exe", folder "C:\\App\\*"',
      ja: 'ファイル名「a.exe」、フォルダー「C:\\App\\*」',
    });
  });
});

interface Row {
  what: string;
  conditions: Conditions;
  evidence?: unknown[];
  alert?: Record<string, unknown>;
  is: boolean;
}

const FILE_IN_APP: Conditions = { fileName: 'a.exe', folderPath: 'C:\\App' };

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

describe('the matchable view of an alert', () => {
  const many = (count: number, piece: (index: number) => unknown = (index) => ({ fileName: `f${index}.exe` })) =>
    Array.from({ length: count }, (_, index) => piece(index));

  it('keeps a hundred pieces, and says how many there were', () => {
    const view = matchable([...many(150), ...many(150)]);
    assert.deepEqual([view.evidence.length, view.evidenceTotal, isEvidenceCut(view)], [100, 150, true]);
    assert.equal(isEvidenceCut(matchable(many(100))), false);
  });

  it('stays small whatever Defender sends', () => {
    const long = '長'.repeat(100_000);
    const view = matchable(
      many(500, (index) => ({
        fileName: `${index}${long}`,
        filePath: long,
        processCommandLine: long,
        url: long,
        accountName: long,
        userPrincipalName: long,
        domainName: long,
        sha1: long,
        ipAddress: long,
      })),
      {
        title: long,
        detectorId: long,
        category: long,
        threatName: long,
        threatFamilyName: long,
        computerDnsName: long,
      },
    );
    assert.ok(JSON.stringify(view).length < 40_000);
    assert.equal(matchableSchema.safeParse(view).success, true);
  });

  it('survives values of any type', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.dictionary(
            fc.constantFrom('fileName', 'filePath', 'url', 'accountName', 'processCommandLine', 'sha1'),
            fc.oneof(fc.string(), fc.constant(null), fc.integer(), fc.constant({})),
          ),
        ),
        (evidence) => assert.equal(matchableSchema.safeParse(matchable(evidence)).success, true),
      ),
    );
  });

  it('a piece that was cut away excludes nothing', () => {
    const last = { fileName: 'excluded.exe' };
    assert.equal(doesMatch({ fileName: 'excluded.exe' }, matchable([...many(150), last])), false);
    assert.equal(doesMatch({ fileName: 'excluded.exe' }, matchable([last, ...many(150)])), true);
  });

  it('"every account" cannot be said of an alert whose evidence was cut', () => {
    const conditions = { fileName: 'f0.exe', account: 'svc-backup' };
    assert.equal(doesMatch(conditions, matchable([SVC, ...many(50)])), true);
    assert.equal(doesMatch(conditions, matchable([SVC, ...many(150)])), false);
  });

  it('the match says when it was judged by a part', () => {
    const match = findMatch([registered('e1', { fileName: 'f0.exe' })], matchable(many(150)), DETECTED);
    assert.deepEqual(match?.looked, { pieces: 100, of: 150 });
    assert.match(match.text.en, /the first 100 of 150 pieces/);
    assert.match(match.text.ja, /150 件中/);
  });

  it('a long command line matches by what is known of it', () => {
    const view = matchable([{ processCommandLine: `app.exe ${'x'.repeat(5_000)} -enc` }]);
    assert.equal(doesMatch({ commandLine: 'app.exe *' }, view), true);
    assert.equal(doesMatch({ commandLine: 'app.exe *-enc' }, view), false);
    assert.equal(doesMatch({ commandLine: `app.exe ${'x'.repeat(400)}` }, view), false);
  });

  for (const [url, host] of [
    ['https://a.example/x', 'a.example'],
    ['a.example/x', 'a.example'],
    ['a.example:8080', 'a.example'],
    ['https://user:pass@a.example:1/x', 'a.example'],
    ['https://[2001:db8::1]:443/x', '[2001:db8::1]'],
    ['https://[2001:db8::1]/x', '[2001:db8::1]'],
    ['https://a.example\\@b.example/', 'a.example'],
    ['https:///x', undefined],
    ['', undefined],
  ] as const) {
    it(`finds the host in ${url}`, () => assert.equal(hostOf(url), host));
  }

  for (const [path, plain] of [
    ['C:\\a\\..\\b', 'C:\\b'],
    ['C:\\..\\..\\b', 'C:\\b'],
    ['C:/a/./b', 'C:\\a\\b'],
    ['\\\\?\\C:\\a', 'C:\\a'],
    ['\\\\server\\share', '\\\\server\\share'],
  ] as const) {
    it(`reads the folder ${path}`, () => assert.equal(plainFolder(path), plain));
  }
});

function registered(exclusionId: string, conditions: Conditions, changes: Partial<RegisteredExclusion> = {}) {
  return { exclusionId, conditions, registeredAt: DETECTED, expiresAt: plus(DETECTED, 90 * DAY_MS), ...changes };
}

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
      const begun = performance.now();
      const matcher = compile(list);
      const compiledMs = performance.now() - begun;
      // The quickest of some: other tests have the same processors.
      const times = Array.from({ length: 20 }, () => {
        const started = performance.now();
        assert.equal(matcher.find(big, DETECTED), undefined);
        return performance.now() - started;
      });
      const ms = Math.min(...times);
      if (process.env['SHOW_TIMES'] !== undefined)
        console.log(what, compiledMs.toFixed(1), times.map((time) => time.toFixed(1)).join(' '));
      assert.ok(ms < 50, `took ${ms} ms`);
    });
  }
});

describe('how broad an exclusion is', () => {
  const inApp = matchable([IN_APP]);
  const inTemp = matchable([IN_TEMP]);
  for (const [what, sample, matched, approvalsNeeded] of [
    ['nothing', [inTemp, inTemp], 0, 1],
    ['a half', [inApp, inTemp], 1, 1],
    ['more than half', [inApp, inApp, inTemp], 2, 2],
    ['all', [inApp], 1, 2],
    ['no past alerts', [], 0, 1],
  ] as const) {
    it(`${what}: ${approvalsNeeded} approval(s)`, () => {
      const breadth = breadthOf(FILE_IN_APP, sample);
      assert.deepEqual(
        [breadth.isSpecific, breadth.matched, breadth.of, breadth.approvalsNeeded],
        [true, matched, sample.length, approvalsNeeded],
      );
      if (approvalsNeeded === 2) assert.ok(breadth.text.en.includes(`${matched} of ${sample.length}`));
    });
  }
  it('a title alone is not specific', () => assert.equal(breadthOf({ title: 'x' }, [inApp]).isSpecific, false));
});

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
