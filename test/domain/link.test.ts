import assert from 'node:assert/strict';
import { nextMailToCustomer } from '../../src/domain/incident/asks.js';
import { duties } from '../../src/domain/incident/duties.js';
import { evolve } from '../../src/domain/incident/evolve.js';
import { judgeClose, judgeRelease } from '../../src/domain/incident/judge.js';
import { judgeLink, judgeUnlink, leadAsks, linkAnswer, reportFacts } from '../../src/domain/incident/link-follower.js';
import { leadReports } from '../../src/domain/incident/link-lead.js';
import { orderFacts } from '../../src/domain/incident/link-orders.js';
import {
  followRequestSchema,
  leadReportSchema,
  type FollowRequest,
  type LeadReport,
} from '../../src/domain/incident/link-record.js';
import { leadOf } from '../../src/domain/incident/link-state.js';
import { isToCustomer, linkedSections } from '../../src/domain/templates/customer.js';
import { renderMail } from '../../src/domain/templates/render.js';
import { threadOf } from '../../src/domain/templates/thread.js';
import { Life, minute, policyOf } from './life.js';
import { read } from './mail-reading.js';

const LEAD = 'incident:acme:lead';
const LINKED = 'incident:acme:linked';

/** A lead and an incident that is linked to it; what they have to say to each other is handed over by hand. */
class Pair {
  lead = new Life({ alert: { id: 'lead', machineId: 'm1' } });
  linked = new Life({
    alert: { id: 'linked', machineId: 'm2', computerDnsName: 'pc-2.acme.local', title: 'Ransom <note>' },
  });
  requests: FollowRequest[] = [];
  reports: LeadReport[] = [];

  /** What the linked incident has to ask now, as it goes over the wire. */
  ask(): FollowRequest[] {
    return leadAsks(this.linked.record).map(({ leadId, tell, want, shown, owes, devices, ordersSeen }) => {
      const topic = tell !== null && isToCustomer(tell.topic) ? tell.topic : undefined;
      const sections =
        topic === undefined ? [] : linkedSections(this.linked.record, policyOf(), topic, this.linked.now);
      const verdict = topic !== undefined && 'verdict' in topic ? topic.verdict : null;
      const begun = tell === null ? null : { dutyId: tell.dutyId, verdict };
      this.linked.fact({ type: 'lead-asked', leadId, want, shown, tell: begun });
      const { incidentId, seq, alert } = this.linked.record;
      const told = tell === null ? null : { dutyId: tell.dutyId, sections };
      const request = { incidentId, seq, want, title: alert.title, owes, devices, ordersSeen, tell: told };
      const sent = followRequestSchema.parse(JSON.parse(JSON.stringify(request)));
      this.requests.push(sent);
      return sent;
    });
  }

  /** What the lead has to tell now. */
  tell(): LeadReport[] {
    return leadReports(this.lead.record).map(({ incidentId, report, digest }) => {
      this.lead.fact({ type: 'follower-told', incidentId, digest });
      const sent = leadReportSchema.parse(JSON.parse(JSON.stringify(report)));
      this.reports.push(sent);
      return sent;
    });
  }

  hear(request: FollowRequest): void {
    this.lead.fact({ type: 'follow-requested', request });
  }

  learn(report: LeadReport): void {
    for (const fact of reportFacts(this.linked.record, report)) this.linked.fact(fact);
  }

  /** Until neither has anything to say. */
  talk(): this {
    for (;;) {
      const asked = this.ask();
      asked.forEach((request) => this.hear(request));
      const told = this.tell();
      told.forEach((report) => this.learn(report));
      if (asked.length + told.length === 0) return this;
    }
  }

  /** The lead sends what it may; the two go on talking. */
  mailAll(): this {
    for (;;) {
      this.talk();
      const next = nextMailToCustomer(duties(this.lead.record));
      if (next === undefined) return this;
      this.lead.mailed(next.id);
    }
  }

  link(): this {
    this.linked.fact({ type: 'link-asked', leadId: LEAD, actor: 'ana' });
    return this.talk();
  }
}

const told = (): Pair => {
  const pair = new Pair();
  pair.lead.triage(2).mailAll();
  return pair.link();
};

const statusOf = (life: Life, id: string): string | undefined => {
  const duty = life.duty(id);
  return duty === undefined ? undefined : `${duty.status}${duty.reason === undefined ? '' : ` (${duty.reason})`}`;
};

describe('who may be linked to whom', () => {
  const cases: [what: string, pair: () => Pair, leadId: string, code: string | undefined][] = [
    ['an open incident to another', () => new Pair(), LEAD, undefined],
    ['an incident to itself', () => new Pair(), LINKED, 'invalid-input'],
    ["another customer's", () => new Pair(), 'incident:globex:lead', 'unknown-incident'],
    ['what is no incident', () => new Pair(), 'lead', 'unknown-incident'],
    ['the same lead again', told, LEAD, 'nothing-new'],
    ['another lead', told, 'incident:acme:other', 'already-linked'],
  ];
  for (const [what, pair, leadId, code] of cases) {
    it(`${what}: ${code ?? 'accepted'}`, () => {
      assert.equal(judgeLink(pair().linked.record, leadId)?.code, code);
    });
  }

  it('no incident to which others are linked', () => {
    assert.equal(judgeLink(told().lead.record, 'incident:acme:other')?.code, 'is-lead');
  });

  it('none to an incident that is linked, or asks to be, naming its lead', () => {
    const pair = new Pair();
    pair.lead.fact({ type: 'link-asked', leadId: 'incident:acme:top', actor: 'ana' });
    const { seq } = pair.linked.record;
    pair.linked.fact({ type: 'link-asked', leadId: LEAD, actor: 'ana' });
    pair.ask().forEach((request) => pair.hear(request));
    pair.tell().forEach((report) => pair.learn(report));
    const answer = linkAnswer(pair.linked.record, LEAD, seq);
    assert.ok(typeof answer !== 'string');
    assert.equal(answer.code, 'lead-is-linked');
    assert.match(answer.message, /incident:acme:top/);
    assert.equal(leadOf(pair.linked.record), undefined);
  });

  for (const [why, code] of [
    ['unknown', 'unknown-incident'],
    ['ended', 'incident-closed'],
    ['stopped', 'incident-stopped'],
  ] as const) {
    it(`a lead that is ${why}: ${code}`, () => {
      const pair = new Pair();
      const { seq } = pair.linked.record;
      pair.linked.fact({ type: 'link-asked', leadId: LEAD, actor: 'ana' });
      const [request] = pair.ask();
      assert.ok(request);
      pair.linked.fact({ type: 'lead-gone', leadId: LEAD, seq: request.seq, why });
      const answer = linkAnswer(pair.linked.record, LEAD, seq);
      assert.equal(typeof answer === 'string' ? answer : answer.code, code);
      assert.equal(judgeUnlink(pair.linked.record)?.code, 'not-linked');
    });
  }
});

describe('what a linked incident owes', () => {
  it('its mail runs until the lead’s was accepted, and is done at that time', () => {
    const pair = told();
    pair.linked.at(60).triage(3);
    pair.talk();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'running');
    pair.lead.mailed('mail:secondary:l0', minute(70));
    pair.talk();
    assert.deepEqual(
      [pair.linked.duty('mail:primary')?.status, pair.linked.duty('mail:primary')?.doneAt],
      ['done', minute(70)],
    );
  });

  it('its clock is met by the time at which the lead’s mail was accepted', () => {
    const pair = told();
    pair.linked.at(60).triage(3).askDevices().isolated('m2', minute(61));
    pair.talk();
    pair.lead.mailed('mail:secondary:l0', minute(70));
    pair.talk();
    assert.deepEqual([pair.linked.slo().state, pair.linked.slo().metAt], ['met', minute(70)]);
  });

  it('its mail fails with the lead’s, and is told once when both try again', () => {
    const pair = told();
    pair.linked.triage(2);
    pair.talk();
    pair.lead.refused('mail:secondary:l0');
    pair.talk();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'failed (mail-rejected)');
    pair.lead.fact({ type: 'retry-asked', actor: 'ana' }).mailed('mail:secondary:l0');
    pair.linked.fact({ type: 'retry-asked', actor: 'ana' });
    pair.talk();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'done');
    assert.equal(nextMailToCustomer(pair.lead.duties()), undefined);
  });

  it('its mail that comes back to the lead is owed by it, and told once more, as another mail, when its verdict is repeated', () => {
    const pair = told();
    pair.linked.triage(2);
    pair.mailAll();
    pair.lead.bounced('mail:secondary:l0');
    assert.equal(statusOf(pair.lead, 'mail:secondary:l0'), 'cancelled (mail-bounced)');
    assert.equal(pair.lead.duty('warn:failure:mail:secondary:l0')?.status, 'owed');
    pair.lead.again();
    pair.talk();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'owed (mail-bounced)');
    assert.equal(pair.linked.duty('warn:failure:mail:primary')?.status, 'owed');
    assert.deepEqual(pair.linked.attention(), ['mail-bounced']);
    assert.deepEqual(judgeClose(pair.lead.record)?.code, 'duties-outstanding');
    pair.linked.again();
    pair.mailAll();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'done');
    assert.equal(pair.lead.duty('mail:secondary:l0'), undefined);
    assert.equal(statusOf(pair.lead, 'mail:secondary:l1'), 'done');
    assert.equal(pair.linked.record.effects['mail:primary']?.messageId, '<mail:secondary:l1>');
  });

  it('waits for a lead whose primary is owed, without hiding that the lead is to be judged', () => {
    const pair = new Pair().link();
    pair.linked.triage(2);
    pair.talk();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'running (awaiting-lead)');
    assert.equal(pair.lead.stage(), 'awaiting-triage');
    pair.linked.fact({ type: 'verdict', body: { ...twoBody(), detection: 'Another.' }, actor: 'ana' });
    pair.talk();
    pair.lead.triage(2);
    pair.mailAll();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'done');
    // What was changed while it waited is told at once, not one after the other.
    assert.equal(pair.linked.duty('mail:secondary:v1'), undefined);
  });

  it('says nothing of a threat that was called off before the lead could tell of it', () => {
    const pair = new Pair().link();
    pair.linked.triage(2);
    pair.talk();
    pair.linked.triage(1);
    pair.talk();
    assert.equal(pair.linked.stage(), 'closed');
    pair.lead.triage(2);
    pair.mailAll();
    assert.equal(pair.lead.duty('mail:secondary:l0'), undefined);
  });

  const phones: [what: string, lead: (life: Life) => void, phone: string][] = [
    ['of a lead at level 2 rings itself', () => undefined, 'owed'],
    ['of a lead that is to be rung does not', (lead) => lead.triage(4), 'waived (lead-rings)'],
    [
      'of a lead that has been rung does not',
      (lead) => lead.triage(4).fact({ type: 'phone-asked', want: 'ring' }).phone('acknowledged'),
      'waived (lead-rings)',
    ],
    [
      'of a lead whose call was called off rings itself',
      (lead) => lead.triage(4).fact({ type: 'phone-asked', want: 'ring' }).triage(3).phone('cancelled'),
      'owed',
    ],
  ];
  for (const [what, prepare, phone] of phones) {
    it(`level 4, ${what}`, () => {
      const pair = told();
      prepare(pair.lead);
      pair.talk();
      pair.linked.triage(4);
      pair.talk();
      assert.equal(statusOf(pair.linked, 'phone'), phone);
    });
  }

  for (const [outcome, phone] of [
    ['ringing', 'owed'],
    ['acknowledged', 'waived (lead-rings)'],
  ] as const) {
    it(`unlinked while the lead’s call is ${outcome}: ${phone}`, () => {
      const pair = told();
      pair.lead.triage(4).fact({ type: 'phone-asked', want: 'ring' }).phone(outcome);
      pair.talk();
      pair.linked.triage(4);
      pair.talk();
      pair.linked.fact({ type: 'unlinked', actor: 'ana' });
      pair.talk();
      assert.equal(statusOf(pair.linked, 'phone'), phone);
    });
  }
});

describe('the end of a link', () => {
  const endings: [what: string, end: (pair: Pair) => void][] = [
    ['unlinked', ({ linked }) => linked.fact({ type: 'unlinked', actor: 'ana' })],
    ['the lead closed', ({ lead }) => lead.fact({ type: 'closed', actor: 'ana', reason: 'neutralised', words: null })],
    ['the lead found to be no threat', ({ lead }) => lead.triage(1)],
  ];
  for (const [what, end] of endings) {
    it(`${what}: what was not begun is owed in its own conversation`, () => {
      const pair = new Pair().link();
      pair.linked.triage(2);
      pair.talk();
      end(pair);
      pair.talk();
      assert.equal(leadOf(pair.linked.record), undefined);
      assert.equal(statusOf(pair.linked, 'mail:primary'), 'owed');
      assert.ok(pair.linked.types().includes('unlinked'));
      assert.equal(pair.lead.duty('mail:secondary:l0'), undefined);
    });
  }

  it('unlinked while the lead sends: that mail is not sent again, and what follows answers it', () => {
    const pair = told();
    pair.linked.triage(2);
    pair.talk();
    pair.lead.startMail('mail:secondary:l0');
    pair.talk();
    pair.linked.fact({ type: 'unlinked', actor: 'ana' });
    pair.talk();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'running');
    pair.lead.settleMail('mail:secondary:l0', { status: 'accepted', at: pair.lead.now, rejected: [] });
    pair.talk();
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'done');
    assert.deepEqual(threadOf(pair.linked.record, 'mail:secondary:e0').references, ['<mail:secondary:l0>']);
  });

  it('a lead that is gone: what it was asked for is owed in its own conversation', () => {
    const pair = told();
    pair.linked.triage(2);
    const [request] = pair.ask();
    assert.ok(request);
    pair.linked.fact({ type: 'lead-gone', leadId: LEAD, seq: request.seq, why: 'ended' });
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'owed');
    assert.equal(pair.linked.record.timeline.at(-1)?.data?.['reason'], 'gone');
  });
});

describe('messages between a linked incident and its lead', () => {
  it('change nothing when they come again, late or in another order', () => {
    const pair = told();
    pair.linked.triage(3).askDevices().isolated('m2');
    pair.mailAll();
    const [lead, linked] = [pair.lead.record, pair.linked.record];
    for (const request of pair.requests.toReversed()) pair.hear(request);
    for (const report of pair.reports.toReversed()) pair.learn(report);
    assert.equal(pair.lead.record, lead);
    assert.equal(pair.linked.record, linked);
  });

  it('a request that has been overtaken is never told', () => {
    const pair = told();
    pair.linked.triage(2);
    const [tell] = pair.ask();
    pair.linked.fact({ type: 'unlinked', actor: 'ana' });
    const [leave] = pair.ask();
    assert.ok(tell && leave);
    pair.hear(leave);
    pair.hear(tell);
    pair.talk();
    assert.equal(pair.lead.duty('mail:secondary:l0'), undefined);
    pair.tell().forEach((report) => pair.learn(report));
    assert.equal(statusOf(pair.linked, 'mail:primary'), 'owed');
  });

  it('leave no words behind once they are told', () => {
    const pair = told();
    pair.linked.triage(2);
    pair.talk();
    assert.ok(pair.lead.record.tellings?.[0]?.sections);
    pair.mailAll();
    assert.equal(pair.lead.record.tellings[0].sections, null);
  });
});

describe('the lead', () => {
  it('stays open while a linked incident still owes something through it', () => {
    const pair = told();
    pair.linked.triage(3, { detection: undefined, analysis: undefined, countermeasures: undefined });
    pair.talk();
    assert.equal(judgeClose(pair.lead.record)?.code, 'duties-outstanding');
    pair.lead.at(30 * 24 * 60);
    assert.equal(pair.lead.record.closed, null);
    pair.linked.triage(3).askDevices().isolated('m2');
    pair.mailAll();
    assert.equal(judgeClose(pair.lead.record), undefined);
  });

  it('tells of the linked alert in both parts, escaped, in its own thread', () => {
    const pair = told();
    pair.linked.triage(3).askDevices().isolated('m2');
    pair.talk();
    const mail = read(renderMail(pair.lead.record, policyOf(), { kind: 'secondary', linked: 0 }, pair.lead.now));
    assert.equal(mail.kind, 'secondary');
    assert.match(mail.subject, /^Re: .*PowerShell/);
    for (const words of [LINKED, 'Ransom <note>', 'pc-2.acme.local', 'レベル3', '正検知', '関連するアラート']) {
      assert.ok(mail.text.includes(words), words);
    }
    assert.ok(mail.html.includes('Ransom &lt;note&gt;') && !mail.html.includes('<note>'));
    assert.deepEqual(threadOf(pair.lead.record, 'mail:secondary:l0').references, ['<mail:primary>']);
  });

  it('passes an instruction on, for each incident to take as its own order', () => {
    const pair = told();
    pair.linked.triage(3).askDevices().isolated('m2');
    pair.mailAll();
    const instruction = { by: 'sato', channel: 'mail' as const, receivedAt: pair.lead.now, words: 'release all' };
    const refused = judgeRelease(pair.lead.record, { machineIds: ['m9'], instruction }, pair.lead.now);
    assert.equal(refused?.code, 'unknown-device');
    const body = { instruction };
    assert.equal(judgeRelease(pair.lead.record, body, pair.lead.now), undefined);
    for (const fact of orderFacts(pair.lead.record, {}, { instruction, actor: 'ana', instructorName: '佐藤' })) {
      pair.lead.fact(fact);
    }
    pair.talk();
    const { orders } = pair.linked.record;
    assert.deepEqual(
      orders.map(({ machineIds, through, actor, instruction: { words } }) => [machineIds, through, actor, words]),
      [[['m2'], LEAD, 'ana', 'release all']],
    );
    assert.equal(judgeRelease(pair.lead.record, body, pair.lead.now)?.code, 'nothing-to-release');
  });

  it('is not moved by what it tells: no revision, no entry', () => {
    const pair = told();
    const { record } = pair.lead;
    const after = evolve(record, { type: 'follower-told', incidentId: LINKED, digest: 'd' }, pair.lead.now);
    assert.deepEqual([after.revision, after.timeline.length], [record.revision, record.timeline.length]);
  });
});

function twoBody() {
  return {
    level: 2 as const,
    judgement: 'true-positive' as const,
    detection: 'D',
    analysis: 'A',
    countermeasures: 'C',
  };
}
