import { z } from 'zod';
import { oneLine } from '../text.js';

export const hintKinds = ['release-instruction', 'exclusion-request', 'product-question'] as const;
type HintKind = (typeof hintKinds)[number];

export const hintSchema = z.object({
  kind: z.enum(hintKinds),
  /** The words that were found (in lower case), and whether one beside them says the contrary. */
  because: z.string().max(300),
});
export type Hint = z.infer<typeof hintSchema>;

/** Beside a word list, how far from a found word another may stand: about a sentence. */
const NEAR = 60;
const MAX_PLACES = 30;

interface Words {
  /** Either of these says it alone. */
  phrases: readonly RegExp[];
  /** Or one word of each list near to one of the other. */
  near: readonly { of: RegExp; to: RegExp }[];
}

/** What the rules look for. A hint sorts a mail for an analyst and does nothing by itself, so it is rather given than not. */
const WORDS: Readonly<Record<HintKind, Words>> = {
  'release-instruction': {
    phrases: [
      /隔離(?:の|を|は|も)?解除/,
      /隔離から(?:の)?(?:解除|復帰|解放|戻)/,
      /ネットワーク(?:へ|に)?(?:の)?(?:復帰|再接続|戻し)/,
      /\bun-?isolat(?:e|ed|ing|ion)\b/,
      /\blift(?:ing)? (?:the )?(?:network )?isolation\b/,
      /\b(?:out of|from) (?:network )?isolation\b/,
      /\b(?:back|reconnect(?:ed)?) (?:on|in|to|onto) ?(?:to )?the network\b/,
    ],
    near: [
      { of: /隔離|端末|PC|パソコン|ネットワーク/i, to: /解除|解放|戻して|復帰/ },
      {
        of: /\brelease[ds]?\b|\breleasing\b/,
        to: /\b(?:isolat\w{1,6}|devices?|machines?|computers?|pcs?|laptops?|hosts?|it|them)\b/,
      },
    ],
  },
  'exclusion-request': {
    phrases: [
      /ホワイトリスト/,
      /検知対象外/,
      /除外(?:登録|設定|申請|依頼|リスト|対象)/,
      /除外(?:を|に|と)?(?:して|し|お願|希望)/,
      /\b(?:white|allow)[- ]?list(?:s|ed|ing)?\b/,
      /\b(?:add|register|request|need|want|set|create)\w{0,3} (?:an? |the |this |it (?:as|to) )?(?:an? |the )?exclusions?\b/,
      /\bexclude\b/,
    ],
    near: [
      { of: /業務(?:用)?(?:ソフト|アプリ|システム|ツール)|誤検知|過検知/, to: /登録|除外|検知(?:しない|させない)/ },
    ],
  },
  'product-question': {
    phrases: [/製品(?:の|に関する)?(?:仕様|不具合|サポート|機能)/, /\bproduct (?:support|question|specification)\b/],
    near: [
      {
        of: /Defender|ディフェンダー|MDE|センサー|ポータル/i,
        to: /仕様|不具合|エラー|使い方|設定方法|ライセンス|バージョン|アップデート|更新プログラム|動作しない|起動しない|重い|遅い/,
      },
      {
        of: /\b(?:defender|mde|sensor|portal)\b/,
        to: /\b(?:specifications?|licen[cs]es?|licensing|bugs?|crash\w{0,4}|slow|versions?|updates?|how (?:do|can|to)|configure|settings?|install\w{0,7})\b/,
      },
    ],
  },
};

/** A word that turns the sentence round. It still hints: whether the customer forbids or doubts is for a person to read. */
const NEGATIONS = [
  /しないで|しないよう|せず|不要|まだ|待って|お待ち|見送|保留|控え|必要(?:は)?(?:あり|ござい)ません|禁止|ではな|できません/,
  /\b(?:not|don'?t|never|no need|without|hold off|wait|instead of|cannot|can'?t)\b/,
];

/** The prefixes of an answer or a forwarded mail, which every mail program adds in its own way and more than once. */
const PREFIXES = /^(?:\s{0,5}(?:re|fw|fwd|返信|転送)\s{0,3}(?:\[\d{1,3}\])?\s{0,3}[:：])+/i;
/** The subject of our own mails: `[見守り] …`. What it says, we have said. */
const OWN_SUBJECT = /^\s{0,5}\[(?:見守り|Mimamori)[^\]]{0,20}\]/i;

/**
 * What a customer's mail may be about, by the words in it: to be shown beside the mail, with the words, never acted on. The
 * subject counts only where the customer has written it: that of our own thread is about the alert.
 */
export function hintsOf({ subject, newText }: { subject: string; newText: string }): Hint[] {
  const own = subject.replace(PREFIXES, '').trim();
  const texts = [...(OWN_SUBJECT.test(own) ? [] : [own]), newText].map(comparable);
  return hintKinds.flatMap((kind) => {
    const found = texts.map((text) => find(WORDS[kind], text)).filter((words) => words.length > 0);
    return found.length === 0 ? [] : [{ kind, because: oneLine(becauseOf(found.flat()), 200) }];
  });
}

interface Found {
  words: string;
  negation: string | null;
}

function becauseOf(found: readonly Found[]): string {
  const words = [...new Set(found.map((one) => one.words))].map((one) => `「${one}」`).join(' ');
  const negations = [...new Set(found.flatMap(({ negation }) => negation ?? []))].map((one) => `「${one}」`);
  return negations.length === 0 ? words : `${words}; beside it a negation: ${negations.join(' ')}`;
}

/** Full-width letters and half-width katakana as everybody else writes them, without the line breaks that a mail program adds. */
function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[’‘]/g, "'")
    .replace(/(?<=[^\x20-\x7e])\n(?=[^\x20-\x7e])/g, '')
    .replace(/\s+/g, ' ')
    .toLowerCase();
}

function find({ phrases, near }: Words, text: string): Found[] {
  const places: { at: number; words: string }[] = [];
  for (const phrase of phrases) {
    // One sentence may ask for it and the next forbid it for another device.
    for (const match of text.matchAll(new RegExp(phrase.source, `${phrase.flags}g`))) {
      places.push({ at: match.index, words: match[0] });
      if (places.length >= MAX_PLACES) break;
    }
  }
  for (const { of, to } of places.length > 0 ? [] : near) {
    const place = findNear(of, to, text);
    if (place !== null) places.push(place);
  }
  return places.map(({ at, words }) => ({ words, negation: negationNear(text, at, words.length) }));
}

function findNear(of: RegExp, to: RegExp, text: string): { at: number; words: string } | null {
  for (const match of text.matchAll(new RegExp(of.source, `${of.flags}g`))) {
    const from = Math.max(0, match.index - NEAR);
    const other = to.exec(text.slice(from, match.index + match[0].length + NEAR));
    if (other === null) continue;
    return { at: Math.min(match.index, from + other.index), words: `${match[0]} … ${other[0]}` };
  }
  return null;
}

function negationNear(text: string, at: number, length: number): string | null {
  const around = text.slice(Math.max(0, at - NEAR), at + length + NEAR);
  return NEGATIONS.map((negation) => negation.exec(around)?.[0]).find((word) => word !== undefined) ?? null;
}
