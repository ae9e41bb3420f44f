import type { Customer } from '../customer.js';
import { refusalWords } from '../feed/refusals.js';
import type { FeedNews } from '../feed/news.js';
import type { Language } from '../text.js';
import { line } from './clean.js';
import { paragraph, type Letter, type Row } from './document.js';
import type { RenderedMail } from './kinds.js';
import { whenInAndUtc } from './when.js';
import { feedLabels, feedMatters, feedSubjects, feedTitles } from './words/feed.js';

function aboutOf(news: FeedNews): keyof typeof feedTitles {
  return news.about === 'trouble' && news.trouble === null ? 'behind' : news.about;
}

function rowsOf(news: FeedNews, customer: Customer, language: Language): Row[] {
  const when = whenInAndUtc(language, customer.timeZone);
  const row = (label: keyof typeof feedLabels, value: string): Row => ({ label: feedLabels[label][language], value });
  const rows = [row('customer', `${line(customer.name, 100)} (${customer.id})`)];
  if (news.about === 'rejected') {
    rows.push(row('count', String(news.count)), row('shownAt', `GET /v1/feeds/${customer.id}/rejected`));
    return rows;
  }
  rows.push(row('since', when(news.since)));
  if (news.about === 'trouble' && news.trouble !== null) {
    const { code, message } = news.trouble;
    rows.push(row('error', line(`${code}: ${message}`, 500)));
    rows.push(row('meaning', refusalWords(code)[language]));
  }
  rows.push(row('shownAt', 'GET /v1/feeds'));
  return rows;
}

/** Tells the SOC, in both languages, how a tenant's feed fares. */
export function feedMail(news: FeedNews, customer: Customer, socMailTo: string): RenderedMail {
  const about = aboutOf(news);
  const { ja, en } = feedSubjects[about];
  const letterIn = (language: Language): Letter => ({
    language,
    title: feedTitles[about][language],
    sections: [
      { blocks: [{ type: 'rows', rows: rowsOf(news, customer, language) }, paragraph(feedMatters[about][language])] },
    ],
  });
  const letters = [letterIn('ja'), letterIn('en')];
  return {
    kind: 'soc-failure',
    to: [socMailTo],
    cc: [],
    subject: line(`[見守り SOC] ${ja} / ${en}: ${line(customer.name, 60)}`, 150),
    letters,
  };
}
