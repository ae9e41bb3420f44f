import { bilingual, type Bilingual } from '../../text.js';

/** What mails to the SOC about the archive say. Every word in both languages. */

type About = 'trouble' | 'well';

export const archiveSocTitles: Record<About, Bilingual> = {
  trouble: bilingual('Closed incidents are not archived', '完了インシデントを保管できません'),
  well: bilingual('Closed incidents are archived again', '完了インシデントの保管が回復しました'),
};

export const archiveSocMatters: Record<About, Bilingual> = {
  trouble: bilingual(
    'Nothing is lost yet: Temporal remembers closed incidents until its retention is over, and archiving is tried again and again. Mend it before then (docs/operations.md, "The archive"). What nobody can read, as its key is missing, is given up after a week of trying. Where the archive does not hold what was written, npm run archive-check names it.',
    '現時点で失われた記録はありません。Temporal は保持期間が終わるまで完了インシデントを保持しており、保管は繰り返し再試行しています。保持期間が終わる前に解消してください (docs/operations.md の "The archive")。鍵がないなどの理由で読み取れないものは、1 週間試行した後に保管を断念します。書き込んだ内容が保管先に残っていない場合は、npm run archive-check で該当箇所を確認できます。',
  ),
  well: bilingual(
    'Everything that was closed meanwhile is in the archive, but for what nobody could read for a week (the worker’s log names it).',
    'この間に完了したインシデントは、1 週間にわたり読み取れなかったもの (worker のログに記載) を除き、すべて保管しました。',
  ),
};

export const archiveSocLabels = {
  since: bilingual('Since', '発生時刻'),
  error: bilingual('Last failure', '直近のエラー'),
};
