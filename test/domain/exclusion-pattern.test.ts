import assert from 'node:assert/strict';
import fc from 'fast-check';
import { comparable, fold, holds, toPattern } from '../../src/domain/exclusion/pattern.js';

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
