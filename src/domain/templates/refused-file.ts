import type { Bilingual, Language } from '../text.js';
import { bilingual } from '../text.js';
import { line } from './clean.js';
import { paragraph, type Letter } from './document.js';
import type { RenderedMail } from './kinds.js';

const TITLE = bilingual('The changed customers file was refused', '変更されたお客様設定ファイルを拒否しました');
const MATTERS: Bilingual = bilingual(
  'Nothing of it is in force; the customers of before stay. Mend the file: it is read again at its next change.',
  '変更内容は一切反映されず、以前の設定のまま動作しています。修正すると自動的に再読み込みします。',
);
const MAX_PROBLEMS = 50;

/** Tells the SOC, in both languages, what is wrong with the customers file; `problems` as the file's reader lists them. */
export function refusedFileMail(problems: readonly string[], socMailTo: string): RenderedMail {
  const letterIn = (language: Language): Letter => ({
    language,
    title: TITLE[language],
    sections: [
      {
        blocks: [
          { type: 'list', items: problems.slice(0, MAX_PROBLEMS).map((problem) => line(problem, 300)) },
          paragraph(MATTERS[language]),
        ],
      },
    ],
  });
  const letters = [letterIn('ja'), letterIn('en')];
  return {
    kind: 'soc-failure',
    to: [socMailTo],
    cc: [],
    subject: '[見守り SOC] 設定拒否 / Customers file refused',
    letters,
  };
}
