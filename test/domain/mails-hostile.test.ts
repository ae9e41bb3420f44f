import assert from 'node:assert/strict';
import type { MailTopic } from '../../src/domain/incident/duties.js';
import type { IncidentRecord } from '../../src/domain/incident/record.js';
import { renderMail } from '../../src/domain/templates/index.js';
import { LANGUAGES, assertSameFacts, read } from './mail-reading.js';
import {
  NOW,
  OPERATOR,
  asked,
  at,
  breached,
  device,
  level2,
  ordered,
  policyFor,
  recordOf,
  report,
  verdict,
} from './mail-records.js';

describe('mails with hostile texts', () => {
  const evil = `<script>alert(1)</script>"'& \r\nBcc: victim@rival.example\r\n\r\n\u202egpj.exe\u2066\u0007 \ud800 ${'x'.repeat(10_000)}`;
  const alert = {
    ...recordOf().alert,
    title: evil,
    computerDnsName: evil,
    severityRaw: evil,
    severity: 'unknown' as const,
  };
  const texts = { detection: evil, analysis: evil, countermeasures: evil };
  const proposal = { what: evil, why: evil };
  const nasty = verdict({ texts, askCustomer: evil, exclusionProposal: proposal });
  const record: IncidentRecord = {
    ...ordered({ state: 'held' }, { heldBy: ['incident:acme:<b>'] }),
    incidentId: 'incident:acme:<script>&"',
    alert,
    verdicts: [level2, nasty],
    escalations: [
      {
        at: at(4),
        actor: OPERATOR,
        message: evil,
        countermeasures: evil,
        askCustomer: evil,
        exclusionProposal: proposal,
      },
    ],
    warnings: [{ at: NOW, percent: 50, dueAt: at(5) }],
    breaches: [{ ...breached, cause: evil }],
    socNotices: [{ at: NOW, about: 'unverified-command', text: { en: evil, ja: evil } }],
  };
  const hostile: IncidentRecord = {
    ...record,
    devices: [
      ...record.devices.map((entry) => ({ ...entry, name: evil })),
      device({ machineId: evil, name: evil, asked, report: report({ state: 'failed', reason: evil }) }),
    ],
    orders: record.orders.map((order) => ({
      ...order,
      instructorName: evil,
      instruction: { ...order.instruction, words: evil },
    })),
  };
  const topics: MailTopic[] = [
    { kind: 'primary', verdict: 1 },
    { kind: 'secondary', verdict: 1 },
    { kind: 'secondary', escalation: 0 },
    { kind: 'isolation-result', wave: 0 },
    { kind: 'release-result', order: 0 },
    { kind: 'soc-warning', about: { warning: 0 } },
    { kind: 'soc-warning', about: { notice: 0 } },
    { kind: 'soc-breach', breach: 0 },
    { kind: 'soc-failure', dutyId: `isolate:${evil}` },
  ];
  for (const topic of topics) {
    it(`${JSON.stringify(topic).slice(0, 60)} stays a mail`, () => {
      for (const language of LANGUAGES) {
        const named = policyFor(language, { name: evil, contacts: [{ id: 'x', name: evil, mayInstruct: true }] });
        const rendered = renderMail(hostile, named, topic, NOW);
        const { subject, text, html } = read(rendered);
        assert.doesNotMatch(html, /<script|<b>|href|src=/i);
        assert.match(html, /&lt;script&gt;/);
        assert.doesNotMatch(text, /&lt;|&amp;|<br|<p|<td/);
        for (const part of [subject, text, html]) {
          assert.doesNotMatch(part, /[\u202a-\u202e\u2066-\u2069]|(?!\n)\p{Cc}|\p{Cs}/u);
        }
        assert.doesNotMatch(subject, /[\r\n]/);
        assert.ok(subject.length <= 150);
        const alertLine = /^(?:アラート|Alert): (.*)$/m.exec(text)?.[1] ?? '';
        assert.ok(alertLine.includes('Bcc: victim') && alertLine.length <= 200, 'the title is one short line');
        assertSameFacts(rendered);
      }
    });
  }
});
