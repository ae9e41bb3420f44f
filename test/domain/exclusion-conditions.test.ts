import assert from 'node:assert/strict';
import { breadthOf } from '../../src/domain/exclusion/breadth.js';
import { conditionsSchema, conditionsWords } from '../../src/domain/exclusion/conditions.js';
import { inputErrors } from '../../src/domain/input.js';
import { FILE_IN_APP, IN_APP, IN_TEMP, matchable, SHA1, SHA256 } from './exclusion-evidence.js';

describe('what an exclusion may consist of', () => {
  const ROWS: [string, unknown, string[]][] = [
    ['a hash', { sha256: SHA256 }, []],
    ['a file name', { fileName: 'backup.exe' }, []],
    ['a folder with wildcards', { folderPath: 'C:\\Users\\*\\AppData\\Local\\Acme\\*' }, []],
    ['a title beside a folder', { title: 'Suspicious *', folderPath: 'C:\\App' }, []],
    ['nothing', {}, ['conditions']],
    ['a title alone', { title: 'Suspicious PowerShell command line' }, []],
    ['next to nothing of a title', { title: '*re*' }, ['conditions']],
    ['a category alone', { category: 'Malware' }, ['conditions']],
    ['a device alone', { device: 'pc-1' }, ['conditions']],
    ['an account alone', { account: 'ACME\\svc' }, ['conditions']],
    ['a detector alone', { detectorId: 'd1' }, ['conditions']],
    ['a threat alone', { threatName: 'Emotet' }, ['conditions']],
    ['all that is not specific', { title: 't', category: 'c', device: 'd', account: 'a' }, ['conditions']],
    ['an extension only', { fileName: '*.exe' }, ['conditions']],
    ['an extension without its dot', { fileName: '*exe' }, ['conditions']],
    ['an extension between wildcards', { fileName: '*exe*' }, ['conditions']],
    ['a top-level domain between wildcards', { domain: '*.com.*' }, ['conditions']],
    ['the beginning of every URL', { url: 'http*' }, ['conditions']],
    ['the folders of all users', { folderPath: 'C:\\Users\\*' }, ['conditions']],
    ['the folders of the system', { folderPath: '*\\Windows\\System32\\*' }, ['conditions']],
    ['a vendor’s folder below them', { folderPath: '*\\Program Files\\Contoso\\*' }, []],
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
        [breadth.matched, breadth.of, breadth.approvalsNeeded],
        [matched, sample.length, approvalsNeeded],
      );
      if (approvalsNeeded === 2) assert.ok(breadth.text.en.includes(`${matched} of ${sample.length}`));
    });
  }
  it('a title alone needs a second approval, whatever it matches', () => {
    const { approvalsNeeded, text } = breadthOf({ title: 'Suspicious PowerShell' }, [inTemp, inTemp]);
    assert.equal(approvalsNeeded, 2);
    assert.match(text.en, /title alone/);
  });
});
