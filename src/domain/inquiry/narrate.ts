import { isNobodys } from '../customer-mail/news.js';
import { line } from '../templates/clean.js';
import { reasonWords } from '../reasons.js';
import { assertNever, bilingual, clip, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import type { InquiryFact } from './facts.js';
import { MAX_NOTED, type InquiryEntry, type InquiryRecord } from './record.js';

const SERVICE = 'mimamori';

function senderOf({ address, name }: { address: string; name: string }): string {
  return line(name === '' ? address : `${name} <${address}>`, 200);
}

/** The timeline's lines for a fact. */
export function narrate(fact: InquiryFact, after: InquiryRecord, at: Instant): InquiryEntry[] {
  const entry = (actor: string, type: InquiryEntry['type'], text: Bilingual): InquiryEntry[] => [
    { at, actor, type, text },
  ];
  switch (fact.type) {
    case 'mail-came': {
      const { mail, acceptedBy } = fact.taken;
      const sender = mail.from === null ? '?' : senderOf(mail.from);
      const subject = line(mail.subject, 150);
      if (isNobodys(fact.taken)) {
        // Of more than are kept the timeline tells nothing more.
        if ((after.noted ?? []).length >= MAX_NOTED) return [];
        return entry(
          SERVICE,
          'noted',
          bilingual(
            `Mail that nobody has to answer (${mail.nature}; ${line(mail.natureBecause, 150)}) from ${sender}: ${subject}`,
            `返信不要のメール (${mail.nature}; ${line(mail.natureBecause, 150)})、差出人 ${sender}: ${subject}`,
          ),
        );
      }
      return entry(
        acceptedBy ?? SERVICE,
        'mail',
        acceptedBy === null
          ? bilingual(`Mail from ${sender}: ${subject}`, `${sender} からのメール: ${subject}`)
          : bilingual(
              `Mail from ${sender}, accepted by ${acceptedBy}: ${subject}`,
              `${sender} からのメール (${acceptedBy} が受理): ${subject}`,
            ),
      );
    }
    case 'assigned': {
      const { operatorId, actor } = fact;
      return entry(
        actor,
        'assigned',
        operatorId === null
          ? bilingual('Assigned to nobody', '担当者なし')
          : bilingual(`Assigned to ${operatorId}`, `担当者: ${operatorId}`),
      );
    }
    case 'answered':
      return entry(
        fact.actor,
        'answered',
        bilingual(`Answered: ${clip(fact.text, 1_000)}`, `回答: ${clip(fact.text, 1_000)}`),
      );
    case 'referred':
      return entry(
        fact.actor,
        'referred',
        bilingual('Referred to the product’s support desk', '製品サポート窓口をご案内'),
      );
    case 'closed':
      return entry(
        fact.actor,
        'closed',
        bilingual(`Closed without an answer: ${fact.reason}`, `回答不要として完了: ${fact.reason}`),
      );
    case 'is-answer':
      return entry(
        fact.actor,
        'is-answer',
        bilingual('It is the answer to what was asked', 'こちらからの質問へのご回答として記録'),
      );
    case 'reply-delayed':
      return entry(
        SERVICE,
        'reply',
        bilingual(`The mail server does not take the reply: ${fact.why}`, `返信を送信できていません: ${fact.why}`),
      );
    case 'reply-settled': {
      const to = after.replies[fact.number]?.to.join(', ') ?? '';
      const why = reasonWords(fact.reason ?? 'mail-rejected');
      return entry(
        SERVICE,
        'reply',
        fact.outcome === 'accepted'
          ? bilingual(`The reply was accepted by the mail server, to ${to}`, `返信を送信しました (宛先: ${to})`)
          : bilingual(`The reply was refused: ${why.en}`, `返信が拒否されました: ${why.ja}`),
      );
    }
    case 'reply-bounced':
      return entry(
        SERVICE,
        'reply',
        bilingual(
          `The reply did not reach the customer: ${line(fact.words, 500)}`,
          `返信がお客様に届きませんでした: ${line(fact.words, 500)}`,
        ),
      );
    case 'reminded':
      return entry(
        SERVICE,
        'reminded',
        bilingual(
          `The SOC was reminded: unanswered for ${fact.minutes} minutes`,
          `未回答のまま ${fact.minutes} 分が経過したため SOC へ通知`,
        ),
      );
    case 'signal-rejected': {
      const errors = fact.errors.map(({ path, message }) => `${path} ${message}`).join('; ');
      return entry(
        'temporal:unknown',
        'rejected-signal',
        bilingual(
          `A signal "${fact.signal}" was not understood (${errors}): ${fact.payload}`,
          `シグナル「${fact.signal}」を解釈できませんでした (${errors}): ${fact.payload}`,
        ),
      );
    }
    case 'failure-told':
    case 'reply-started':
    case 'incident-told':
    case 'command-handled':
      return [];
    default:
      return assertNever(fact);
  }
}
