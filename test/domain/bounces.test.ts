import assert from 'node:assert/strict';
import { nextMailToCustomer } from '../../src/domain/incident/asks.js';
import { canRetry, judgeClose, triageKind } from '../../src/domain/incident/judge.js';
import { customerTold } from '../../src/domain/incident/record.js';
import { mailIdOf, threadOf } from '../../src/domain/templates/thread.js';
import { isolatedLife, Life, minute, policyOf, verdictBody } from './life.js';

const ONE = 'security@acme.example';
const TWO = 'ciso@acme.example';
const COPY = 'it-help@acme.example';
const RETURNED = 'owed (mail-bounced)';

function policyTo(...to: string[]) {
  return policyOf({ mail: { to, cc: [COPY] } });
}

/** The primary of a level is accepted 20 minutes after the detection. */
function told(level: 2 | 3 = 2, to = [ONE]): Life {
  return new Life({ policy: policyTo(...to) }).at(20).triage(level).askDevices().mailAll();
}

function statusOf(life: Life, id = 'mail:primary'): string | undefined {
  return life
    .owed()
    .find((line) => line.startsWith(`${id}: `))
    ?.slice(id.length + 2);
}

function notices(life: Life): string[] {
  return life.record.socNotices.map(({ about }) => about);
}

function failures(life: Life): string[] {
  return life.duties().flatMap(({ id }) => (id.startsWith('warn:failure:') ? [id] : []));
}

describe('a mail that comes back: whom it has reached', () => {
  const rows: {
    what: string;
    to: string[];
    report: { address?: string; action?: 'failed' | 'delayed' | 'delivered' }[];
    status: string;
    about: string[];
  }[] = [
    { what: 'the only recipient', to: [ONE], report: [{}], status: RETURNED, about: [] },
    {
      what: 'the only recipient, spelt otherwise',
      to: [ONE],
      report: [{ address: 'Security@ACME.example' }],
      status: RETURNED,
      about: [],
    },
    { what: 'both', to: [ONE, TWO], report: [{}, { address: TWO }], status: RETURNED, about: [] },
    { what: 'one of two', to: [ONE, TWO], report: [{}], status: 'done', about: ['mail-partly-bounced'] },
    {
      what: 'one of two, and the other is still tried',
      to: [ONE, TWO],
      report: [{}, { address: TWO, action: 'delayed' }],
      status: 'done',
      about: ['mail-partly-bounced'],
    },
    { what: 'only a copy', to: [ONE], report: [{ address: COPY }], status: 'done', about: ['mail-partly-bounced'] },
    {
      what: 'an address that it was not sent to',
      to: [ONE],
      report: [{ address: 'forward@elsewhere.example' }],
      status: 'done',
      about: ['mail-partly-bounced'],
    },
    { what: 'nobody that is named', to: [ONE], report: [], status: 'done', about: ['mail-partly-bounced'] },
    { what: 'nobody yet: it is still tried', to: [ONE], report: [{ action: 'delayed' }], status: 'done', about: [] },
    { what: 'nobody: it was delivered', to: [ONE], report: [{ action: 'delivered' }], status: 'done', about: [] },
  ];
  for (const { what, to, report, status, about } of rows) {
    it(`${what}: ${status}, ${about.join() || 'no notice'}`, () => {
      const life = told(2, to).bounced('mail:primary', report);
      assert.equal(statusOf(life), status);
      assert.deepEqual(notices(life), about);
      assert.equal(customerTold(life.record), status === 'done');
    });
  }

  it('two reports together, and a recipient who was refused at once', () => {
    const life = told(2, [ONE, TWO]).bounced('mail:primary', [{}], 'a');
    assert.equal(statusOf(life.bounced('mail:primary', [{ address: TWO }], 'b')), RETURNED);
    const refused = new Life({ policy: policyTo(ONE, TWO) }).at(20).triage(2).startMail('mail:primary');
    refused.settleMail('mail:primary', {
      status: 'accepted',
      at: minute(20),
      rejected: [{ address: TWO, response: '550' }],
    });
    assert.equal(statusOf(refused.bounced('mail:primary')), RETURNED);
  });

  it('a report that is heard before the acceptance', () => {
    const life = new Life().at(20).triage(2).startMail('mail:primary').bounced('mail:primary');
    assert.equal(statusOf(life), 'running');
    life.settleMail('mail:primary', { status: 'accepted', at: minute(20), rejected: [] });
    assert.equal(statusOf(life), RETURNED);
    assert.equal(customerTold(life.record), false);
  });

  it('of a mail from before recipients were kept, every address in the file counts', () => {
    const life = told(2, [ONE, TWO]);
    const { to: _, ...effect } = life.record.effects['mail:primary'] ?? assert.fail();
    life.record = { ...life.record, effects: { 'mail:primary': effect } };
    assert.equal(statusOf(life.bounced('mail:primary')), 'done');
    assert.equal(statusOf(life.bounced('mail:primary', [{ address: TWO }], 'b')), RETURNED);
  });

  it('another report on a recipient that is known to be lost tells nobody again', () => {
    const life = told(2, [ONE, TWO]).bounced('mail:primary', [{}], 'a').bounced('mail:primary', [{}], 'b');
    assert.deepEqual(notices(life), ['mail-partly-bounced']);
  });

  it('however much a report says, its entry stays under 4 kB', () => {
    const long = { address: `${'あ'.repeat(300)}@acme.example`, diagnostic: 'え'.repeat(500) };
    const life = told().bounced(
      'mail:primary',
      Array.from({ length: 50 }, () => long),
    );
    assert.ok(Buffer.byteLength(JSON.stringify(life.record.timeline.at(-1))) < 4_096);
  });

  it('the same report twice is one, and one on an unknown mail is put down and does nothing', () => {
    const life = told().bounced('mail:primary', [{}], 'a');
    const { record } = life;
    assert.equal(life.bounced('mail:primary', [{}], 'a').record, record);
    const other = told();
    const before = other.owed();
    other.reported('<nobody@knows>', [{}], 'a');
    assert.deepEqual(other.owed(), before);
    assert.equal(other.record.timeline.at(-1)?.data?.['matched'], false);
  });
});

describe('a mail that came back is loud', () => {
  it('attention, the SOC at once, an analyst’s move; nothing goes out by itself and nothing can be closed', () => {
    const life = told(3).isolated().mailAll();
    life.bounced('mail:primary');
    assert.deepEqual(failures(life), ['warn:failure:mail:primary']);
    assert.deepEqual(life.attention(), ['mail-bounced']);
    assert.equal(life.stage(), 'responding');
    assert.equal(nextMailToCustomer(life.duties()), undefined);
    assert.match(life.waiting().join('\n'), /^analyst: an address that can be reached: mail:primary came back/);
    const level2 = told(2).bounced('mail:primary');
    assert.equal(judgeClose(level2.record)?.message, 'Still owed: mail:primary.');
    const entry = life.record.timeline.at(-1);
    assert.equal(entry?.type, 'bounce');
    assert.match(
      entry.text.en,
      /came back from security@acme\.example \(5\.1\.1 no such user\)\. The customer was not reached/,
    );
  });

  it('each further try that comes back tells the SOC again', () => {
    const life = told().bounced('mail:primary').mailed('warn:failure:mail:primary');
    assert.deepEqual(failures(life.again().mailed('mail:primary').bounced('mail:primary', [{}], 'b')), [
      'warn:failure:mail:primary:1',
    ]);
    assert.equal(statusOf(life, 'warn:failure:mail:primary:1'), 'owed');
    assert.deepEqual(
      life.record.bouncedMails?.map(({ messageId, bounced }) => [messageId, bounced?.length]),
      [['<mail:primary>', 1]],
    );
  });

  it('what is tried again is another mail, and follows none that came back', () => {
    const life = told(3).isolated().mailAll();
    const first = mailIdOf(life.record, 'mail:primary', 'x.example');
    life.bounced('mail:primary').again();
    assert.equal(statusOf(life), 'owed');
    const second = mailIdOf(life.record, 'mail:primary', 'x.example');
    assert.notEqual(second, first);
    assert.deepEqual(threadOf(life.record, 'mail:primary').references, ['<mail:isolation-result:v0>']);
    life.at(40).mailed('mail:primary');
    assert.deepEqual(threadOf(life.record, 'mail:secondary:e0').references, [
      '<mail:isolation-result:v0>',
      '<mail:primary:r1>',
    ]);
    life.bounced('mail:primary', [{}], 'b').again();
    assert.notEqual(mailIdOf(life.record, 'mail:primary', 'x.example'), second);
  });

  it('a further report on the mail of an earlier try is put down and does nothing', () => {
    const life = told().bounced('mail:primary').again().mailed('mail:primary').reported('<mail:primary>', [{}], 'late');
    assert.equal(statusOf(life), 'done');
    assert.match(life.record.timeline.at(-1)?.text.en ?? '', /earlier try/);
  });
});

describe('a mail that came back goes out again', () => {
  it('when an analyst repeats the verdict', () => {
    const life = told().bounced('mail:primary');
    assert.equal(canRetry(life.record, life.now), true);
    assert.equal(triageKind(life.record, verdictBody(2), life.now), 'retry');
    assert.equal(nextMailToCustomer(life.again().duties())?.id, 'mail:primary');
    assert.equal(statusOf(life.mailAll()), 'done');
    assert.deepEqual(life.attention(), []);
  });

  it('when the customer has other addresses, and only then', () => {
    const life = told().bounced('mail:primary');
    life.fact({ type: 'policy-read', policy: policyOf({ name: 'Acme Ltd', mail: { to: [ONE], cc: [] } }) });
    assert.equal(statusOf(life), RETURNED);
    life.fact({ type: 'policy-read', policy: policyTo(TWO) });
    assert.equal(statusOf(life), 'owed');
    assert.match(life.record.timeline.at(-1)?.text.en ?? '', /sent again to ciso@acme\.example/);
    assert.equal(statusOf(life.mailAll()), 'done');
  });

  it('at once where they are others already, of which the SOC is told too', () => {
    const life = told()
      .fact({ type: 'policy-read', policy: policyTo(TWO) })
      .bounced('mail:primary', [{ address: ONE }]);
    assert.equal(statusOf(life), 'owed');
    assert.deepEqual(notices(life), ['mail-bounced']);
  });

  for (const id of ['mail:isolation-result:v0', 'mail:release-result:o0', 'mail:secondary:e0', 'mail:secondary:v1']) {
    it(`${id} likewise`, () => {
      const life = told(3).isolated().mailAll();
      if (id.endsWith('e0')) life.fact({ type: 'escalation', body: { message: 'more' }, actor: 'ana' });
      else if (id.endsWith('v1')) life.triage(4).fact({ type: 'phone-asked', want: 'ring' }).phone('acknowledged');
      else if (id.endsWith('o0')) life.release().report('m1', 'released');
      life.mailAll().bounced(id);
      assert.equal(statusOf(life, id), RETURNED);
      assert.deepEqual(life.attention(), ['mail-bounced']);
      assert.equal(statusOf(life.again().mailAll(), id), 'done');
    });
  }
});

describe('a mail that came back and is not owed any more', () => {
  it('an all-clear that nobody needs: nobody was told of a threat', () => {
    const life = told(2).bounced('mail:primary').triage(1);
    assert.equal(statusOf(life), 'cancelled (level-lowered)');
    assert.equal(life.stage(), 'closed');
  });

  it('a later verdict’s mail that has arrived says more than it', () => {
    const life = told(2).bounced('mail:primary').at(30).triage(3).askDevices();
    assert.equal(nextMailToCustomer(life.duties())?.id, 'mail:secondary:v1');
    life.mailed('mail:secondary:v1');
    assert.equal(statusOf(life), 'cancelled (told-by-later-mail)');
    assert.equal(customerTold(life.record), true);
    life.fact({ type: 'policy-read', policy: policyTo(TWO) });
    assert.equal(statusOf(life), 'cancelled (told-by-later-mail)', 'other addresses change nothing of that');
    life.fact({ type: 'policy-read', policy: policyOf() });
    life.bounced('mail:secondary:v1', [{}], 'b');
    assert.equal(statusOf(life), RETURNED);
  });
});

describe('a mail that came back and the time target', () => {
  it('heard in time, the clock goes on, and is met by the mail that arrives', () => {
    const life = isolatedLife().at(100);
    assert.equal(life.clock(), 'met');
    life.bounced('mail:primary');
    assert.equal(life.clock(), 'running');
    assert.deepEqual(life.warnings(), [50]);
    assert.equal(life.at(120).again().mailAll().clock(), 'met');
    assert.equal(life.slo().metAt, minute(120));
  });

  it('not mended in time it is breached by it', () => {
    const life = isolatedLife().at(100).bounced('mail:primary').at(181);
    assert.equal(life.clock(), 'breached');
    assert.deepEqual(
      life.record.breaches.map(({ cause }) => cause),
      ['mail-bounced'],
    );
    assert.equal(life.again().mailAll().clock(), 'breached');
  });

  it('heard after the deadline, the customer was not told in time: breached, and it stays', () => {
    const life = isolatedLife().at(300);
    assert.equal(life.clock(), 'met');
    life.bounced('mail:primary');
    assert.equal(life.clock(), 'breached');
    assert.deepEqual(
      life.record.breaches.map(({ cause, dueAt }) => [cause, dueAt]),
      [['mail-bounced', minute(180)]],
    );
    life.again().mailAll();
    assert.equal(life.clock(), 'breached');
    assert.notEqual(life.record.lastingBreach, null);
  });

  it('partly come back, it has told the customer in time', () => {
    const life = isolatedLife(3, { policy: policyTo(ONE, TWO) }).at(300);
    assert.equal(life.bounced('mail:primary').clock(), 'met');
  });
});

describe('a mail that comes back after the incident was closed', () => {
  it('is told and does not reopen; reopened, it is owed', () => {
    const life = told(2).fact({ type: 'closed', reason: 'resolved', actor: 'ana', words: null }).at(40);
    life.bounced('mail:primary');
    assert.equal(life.stage(), 'closed');
    assert.deepEqual(notices(life), ['mail-bounced']);
    assert.deepEqual(failures(life), []);
    assert.deepEqual(life.attention(), ['changed-after-close', 'mail-bounced']);
    life.fact({ type: 'policy-read', policy: policyTo(TWO) });
    assert.equal(statusOf(life), RETURNED, 'nothing goes out while it is closed');
    life.fact({ type: 'reopened', actor: 'ana', words: 'told nobody', byRules: false });
    assert.equal(statusOf(life), 'owed');
  });
});
