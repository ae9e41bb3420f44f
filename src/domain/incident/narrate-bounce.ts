import type { BounceReport } from '../customer-mail/news.js';
import { bilingual, oneLine, type Bilingual } from '../text.js';
import type { Instant } from '../time.js';
import { reportedMail } from './mails-again.js';
import type { Bounce, IncidentRecord, TimelineEntry } from './record.js';
import { entriesAt } from './timeline-entry.js';

/* What the timeline and the SOC are told of mails that came back. */

/** Two, so that an entry stays small however long a server's words are. */
const MAX_NAMED = 2;
const MAX_LISTED = 5;
const MAX_LENGTH = 80;

function some(all: readonly string[]): string {
  if (all.length === 0) return '?';
  const more = all.length - MAX_NAMED;
  return `${all.slice(0, MAX_NAMED).join(', ')}${more > 0 ? ` +${more}` : ''}`;
}

function whom(bounces: readonly Pick<Bounce, 'address' | 'status' | 'diagnostic'>[]): string {
  return some(
    bounces.map(({ address, status, diagnostic }) => {
      const why = oneLine([status, diagnostic].filter((part) => part !== '').join(' '), MAX_LENGTH);
      return `${oneLine(address, MAX_LENGTH)}${why === '' ? '' : ` (${why})`}`;
    }),
  );
}

/** What follows from a mail that came back, for the SOC. */
const CONSEQUENCES = {
  partly: bilingual(
    'It may have reached the others that it went to. Please have the addresses checked.',
    'その他の宛先には届いている可能性があります。メールアドレスをご確認ください。',
  ),
  closed: bilingual(
    'The incident was closed before this was known, and the customer was not reached. Reopen it to send the mail again.',
    'このことが判明する前にインシデントは完了しており、お客様に届いていません。再送するには再開してください。',
  ),
  readdressed: bilingual(
    'The customer was not reached. The addresses have changed since: it is sent again to those.',
    'お客様に届いていません。その後メールアドレスが変更されているため、新しい宛先に再送します。',
  ),
} satisfies Record<string, Bilingual>;

export function bounceNotice(
  dutyId: string,
  bounces: readonly Bounce[],
  consequence: keyof typeof CONSEQUENCES,
): Bilingual {
  const { en, ja } = CONSEQUENCES[consequence];
  return bilingual(
    `A mail to the customer (${dutyId}) came back from ${whom(bounces)}. ${en}`,
    `お客様へのメール (${dutyId}) が ${whom(bounces)} から戻ってきました。${ja}`,
  );
}

/** A mail that had come back is on its way to other addresses. */
export function addressesWords(to: readonly string[]): Bilingual {
  const shown = some(to.map((address) => oneLine(address, MAX_LENGTH)));
  return bilingual(
    `The customer's addresses have changed: what came back is sent again to ${shown}.`,
    `お客様のメールアドレスが変更されたため、戻ってきたメールを ${shown} に再送します。`,
  );
}

export function narrateBounce(
  before: IncidentRecord,
  { messageId, recipients, receivedAt }: BounceReport,
  after: IncidentRecord,
  at: Instant,
): TimelineEntry[] {
  const { entry } = entriesAt(at);
  const found = reportedMail(before, messageId);
  const listed = recipients
    .slice(0, MAX_LISTED)
    .map(({ address, action, status }) => ({ address: oneLine(address, MAX_LENGTH), action, status }));
  const data = { messageId: oneLine(messageId, 300), receivedAt, recipients: listed };
  if (found === undefined) {
    return entry(
      'bounce',
      bilingual(
        'A delivery report came on a mail that this incident has not sent to the customer: nothing follows from it.',
        'このインシデントからお客様に送信していないメールの配信レポートを受信しました。対応は行いません。',
      ),
      { ...data, matched: false },
    );
  }
  const { dutyId, isSetAside } = found;
  const failed = recipients.filter(({ action }) => action === 'failed');
  const delayed = recipients.filter(({ action }) => action === 'delayed');
  if (failed.length === 0 && delayed.length > 0) {
    return entry(
      'bounce',
      bilingual(
        `A mail server has not delivered ${dutyId} to ${whom(delayed)} yet, and goes on trying.`,
        `${dutyId} は ${whom(delayed)} にまだ配信されていません (メールサーバーが再送中です)。`,
      ),
      { ...data, dutyId },
    );
  }
  const hasReachedNobody =
    !isSetAside && after.bouncedMails === before.bouncedMails && after.effects[dutyId]?.status === 'bounced';
  const en = isSetAside ? ' That was an earlier try.' : hasReachedNobody ? ' The customer was not reached by it.' : '';
  const ja = isSetAside ? '以前の送信分です。' : hasReachedNobody ? 'お客様には届いていません。' : '';
  return entry(
    'bounce',
    bilingual(
      `The mail ${dutyId} came back from ${whom(failed)}.${en}`,
      `メール ${dutyId} が ${whom(failed)} から戻ってきました。${ja}`,
    ),
    { ...data, dutyId },
  );
}
