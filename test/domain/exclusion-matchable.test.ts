import assert from 'node:assert/strict';
import fc from 'fast-check';
import { doesMatch, findMatch } from '../../src/domain/exclusion/match.js';
import { hostOf, isEvidenceCut, matchableSchema } from '../../src/domain/exclusion/matchable.js';
import { plainFolder } from '../../src/domain/exclusion/pattern.js';
import { matchable, registered, SVC } from './exclusion-evidence.js';
import { DETECTED } from './life.js';

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
    ['evil.example/?to=https://known.example/', 'evil.example'],
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
