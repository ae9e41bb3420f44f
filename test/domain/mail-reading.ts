import assert from 'node:assert/strict';
import type { MailTopic } from '../../src/domain/incident/duties.js';
import type { IncidentRecord } from '../../src/domain/incident/record.js';
import { renderMail, type RenderedMail } from '../../src/domain/templates/index.js';
import type { Language } from '../../src/domain/text.js';
import { bodyOf, type Body } from '../../src/integrations/mail/body.js';
import { NOW, policyFor } from './mail-records.js';

export const LANGUAGES: readonly Language[] = ['ja', 'en'];
export const PRIMARY: MailTopic = { kind: 'primary', verdict: 0 };

/** A mail, and what its reader finds or must not find in it. */
export interface Case {
  name: string;
  record: IncidentRecord;
  topic: MailTopic;
  ja: RegExp[];
  en: RegExp[];
  not?: RegExp[];
}

/** What every mail says of its incident. */
export const HEAD = [/incident:acme:da637_-1/, /Suspicious PowerShell/, /High/, /pc-1\.acme\.local/];

/** A mail with the parts that are sent of it. */
export type ReadMail = RenderedMail & Body;

export function read(rendered: RenderedMail): ReadMail {
  return { ...rendered, ...bodyOf(rendered.letters) };
}

/** What a reader sees of the HTML part: not what only Outlook builds tables from, nor what the mailbox shows beside the subject. */
function visible(html: string): string {
  return html
    .replace(/<head>.*?<\/head>|<!--.*?-->|<div style="display:none;.*?<\/div>/gsu, '')
    .replace(/<[^>]*>/gu, ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

function bare(text: string): string {
  return text.replace(/[\s■【】:=-]+/gu, '');
}

export function mail(record: IncidentRecord, topic: MailTopic, language: Language = 'ja'): ReadMail {
  return read(renderMail(record, policyFor(language), topic, NOW));
}

export function assertSays(rendered: RenderedMail, expected: readonly RegExp[], not: readonly RegExp[] = []): void {
  const { text } = read(rendered);
  for (const pattern of expected) assert.match(text, pattern);
  for (const pattern of not) assert.doesNotMatch(text, pattern);
}

export function assertSameFacts(rendered: RenderedMail): void {
  const { text, html } = read(rendered);
  assert.equal(bare(visible(html)), bare(text.replace(/^> /gmu, '')));
}
