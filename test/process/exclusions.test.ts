import assert from 'node:assert/strict';
import { until } from '../../simulator/testing.js';
import { customerWorkflowId } from '../../src/domain/customers/record.js';
import { DAY_MS, plus, toInstant } from '../../src/domain/time.js';
import { createDefenderClient } from '../../src/integrations/defender/client.js';
import { createSignIn } from '../../src/integrations/defender/sign-in.js';
import { surveyIncidents } from '../../src/temporal/survey.js';
import { newDevice } from '../support/devices.js';
import { House, verdict, type AskOptions, type Reply } from '../support/house.js';

const SHA256 = 'c0'.repeat(32);

describe('an exclusion as change control', function () {
  this.timeout(60_000);
  let house: House;
  let acme: string;
  let names = 0;
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
  });
  after(() => house.close());

  const expiresAt = () => plus(toInstant(Date.now()), 30 * DAY_MS);
  /** A program that no other test knows. */
  const program = () => `tool-${(names += 1)}.exe`;
  const evidence = (fileName: string) => [
    { entityType: 'File', fileName, filePath: 'C:\\Tools', detectionStatus: 'Detected' },
  ];
  const body = (fileName: string, more: Record<string, unknown> = {}) => ({
    conditions: { fileName },
    reason: 'The customer’s own backup',
    expiresAt: expiresAt(),
    set: { ownFilter: true },
    ...more,
  });
  const propose = async (proposal: unknown, options?: AskOptions) => {
    const reply = await house.post(`/v1/customers/${acme}/exclusions`, proposal, options);
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    return reply.body;
  };
  const at = (id: string, rest = '') => `/v1/exclusions/${encodeURIComponent(id)}${rest}`;
  const send = (id: string, command: string, sent: unknown, as: AskOptions['as'] = 'second') =>
    house.post(at(id, `/${command}`), sent, { as });
  const approve = async (id: string, as: AskOptions['as'] = 'second') => {
    const reply = await send(id, 'approve', { reason: 'known software' }, as);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply.body;
  };
  const when = (id: string, what: string, holds: (exclusion: Reply['body']) => boolean) =>
    until(
      `${id}: ${what}`,
      async () => {
        const { body: exclusion } = await house.get(at(id));
        return holds(exclusion) ? exclusion : undefined;
      },
      15_000,
    );
  const inState = (id: string, state: string) => when(id, state, (exclusion) => exclusion.state === state);
  const indicators = async (): Promise<Reply['body'][]> =>
    (await house.control('GET', `/sim/tenants/${house.tenantOf(acme)}/indicators`)).items;
  const listed = (id: string) =>
    until(`${id} is listed`, async () => {
      const { body: page } = await house.get(`/v1/incidents?customer=${acme}&limit=200`);
      return page.items.some((item: Reply['body']) => item.id === id) ? true : undefined;
    });

  it('what the preview says is what then happens', async () => {
    const file = program();
    const alert = () => house.alert(acme, { evidence: evidence(file) });
    const [first, second, judged, closed, other] = [
      await alert(),
      await alert(),
      await alert(),
      await alert(),
      await house.alert(acme, { evidence: evidence(program()) }),
    ];
    const low = await house.alert(acme, { evidence: evidence(file), severity: 'Low' });
    await house.command(judged.id, 'triage', verdict(3));
    await house.command(closed.id, 'triage', verdict(1));
    await listed(other.id);

    const late = await surveyIncidents(house.client, acme, Date.now());
    assert.deepEqual([late.looked, late.unread], [[], 5], 'what could not be read in time is counted');

    const proposed = await propose(body(file.toUpperCase()));
    assert.deepEqual([proposed.state, proposed.proposer, proposed.approvalsNeeded], ['proposed', 'analyst', 2]);
    assert.deepEqual(proposed.breadth, { matched: 4, of: 5 });
    const { body: preview } = await house.get(at(proposed.id, '/preview'));
    assert.deepEqual(
      [preview.excluded, preview.of, preview.effects, preview.levels, preview.unread],
      [4, 5, { closes: 2, stays: 1, past: 1 }, { 1: 1, 2: 0, 3: 1, 4: 0, none: 2 }, 0],
    );
    assert.match(preview.text.en, /4 of 5 past alerts.*more than half.*1 of level 3.*2 that nobody has judged yet/);
    const closing = preview.incidents.filter((one: Reply['body']) => one.effect === 'closes');
    assert.deepEqual(closing.map((one: Reply['body']) => one.id).sort(), [first.id, second.id].sort());

    assert.equal((await approve(proposed.id)).state, 'proposed', 'more than half needs two');
    await approve(proposed.id, 'bound');
    const registered = await inState(proposed.id, 'registered');
    assert.deepEqual(
      registered.approvals.map(({ actor }: Reply['body']) => actor),
      ['second', 'bound'],
    );
    for (const { id } of [first, second]) {
      const gone = await house.incidentWhen(id, 'excluded', ({ closeReason }) => closeReason === 'excluded');
      assert.equal(gone.exclusionId, proposed.id);
    }
    assert.notEqual((await house.incident(judged.id)).stage, 'closed');
    assert.equal((await house.incident(closed.id)).closeReason, 'no-threat');
    assert.equal((await house.incident(low.id)).closeReason, 'out-of-scope');
    assert.equal((await house.incident(other.id)).stage, 'awaiting-triage');
    const later = await alert();
    await house.incidentWhen(later.id, 'excluded', ({ closeReason }) => closeReason === 'excluded');

    await when(proposed.id, 'has counted them', ({ excludedAlerts }) => excludedAlerts === 3);

    // Ended now, it excludes nothing any more.
    const shortened = await send(proposed.id, 'shorten', { expiresAt: toInstant(Date.now()), reason: 'an attack' });
    assert.equal(shortened.status, 200, JSON.stringify(shortened.body));
    const over = await when(proposed.id, 'taken back', ({ parts }) => parts[0].status === 'removed');
    assert.equal(over.state, 'expired');
    const after = await alert();
    await house.incidentWhen(after.id, 'open', ({ stage }) => stage === 'awaiting-triage');
  });

  it('one whose proposal was put to the customer waits for their request, and is confirmed in the thread', async () => {
    const file = program();
    const { id: incidentId } = await house.alert(acme, { evidence: evidence(file) });
    const exclusionProposal = { what: file, why: 'It looks like your backup.' };
    await house.command(incidentId, 'triage', verdict(2, { exclusionProposal }));
    await house.incidentWhen(incidentId, 'told', ({ stage }) => stage === 'notified');
    const [primary] = await house.mails(incidentId);
    assert.ok(primary);

    const { id, asksCustomer } = await propose(body(file, { incidentId }));
    assert.equal(asksCustomer, true);
    const early = await send(id, 'approve', {});
    assert.deepEqual([early.status, early.body.code], [409, 'customer-request-needed']);
    const request = { by: '佐藤', channel: 'mail', receivedAt: toInstant(Date.now()), words: '登録をお願いします。' };
    const asked = await send(id, 'request', request);
    assert.deepEqual([asked.status, asked.body.state], [200, 'requested']);
    await approve(id);
    const confirmed = await inState(id, 'confirmed');

    const mail = (await house.mails(incidentId)).at(-1);
    assert.equal(mail?.headers['x-mimamori-kind'], 'exclusion-confirmed');
    assert.deepEqual([mail.to, mail.cc], [primary.to, primary.cc]);
    assert.equal(mail.headers['in-reply-to'], primary.headers['message-id']);
    assert.equal(mail.subject, `Re: ${primary.subject}`);
    assert.match(mail.text, /登録が完了しました/);
    assert.ok(mail.text.includes(file));
    assert.equal(confirmed.confirmation.messageId, mail.headers['message-id']);
  });

  it('a customer who asked hears that it was declined', async () => {
    const request = { by: '佐藤', channel: 'phone', receivedAt: toInstant(Date.now()), words: 'お願いします。' };
    const { id, state } = await propose(body(program(), { customerRequest: request }));
    assert.equal(state, 'requested');
    const reason = 'It would hide real attacks.';
    assert.equal((await send(id, 'decline', { reason })).body.state, 'declined');
    await when(id, 'told', ({ endMail }) => endMail !== null);
    const mail = (await house.mails()).find(
      ({ headers, text }) => headers['x-mimamori-kind'] === 'exclusion-ended' && text.includes(id),
    );
    assert.ok(mail?.text.includes(reason));
    const late = await send(id, 'approve', {});
    assert.deepEqual([late.status, late.body.code], [409, 'exclusion-ended']);
  });

  it('is never approved by whoever proposed it', async () => {
    const { id } = await propose(body(program()));
    const own = await send(id, 'approve', { reason: 'mine' }, 'analyst');
    assert.deepEqual([own.status, own.body.code], [403, 'own-request']);
    assert.equal((await house.get(at(id))).body.approvals.length, 0);
    assert.equal((await send(id, 'withdraw', { reason: 'a mistake' }, 'analyst')).body.state, 'withdrawn');
  });

  it('an indicator in Defender is set, kept apart from others, and taken away at the end', async () => {
    const proposal = (set: Record<string, unknown> = {}) => ({
      ...body(''),
      conditions: { sha256: SHA256 },
      set: { defenderIndicator: true, ...set },
    });
    const first = await propose(proposal());
    assert.match(first.warnings[0].en, /lowers Defender’s own guard/);
    await approve(first.id);
    const set = await inState(first.id, 'registered');
    const [indicator] = await indicators();
    assert.deepEqual(
      [indicator.indicatorValue, indicator.action, indicator.title, set.parts[0].detail],
      [SHA256, 'Allowed', `Mimamori ${first.id}`, [String(indicator.id)]],
    );
    assert.equal(Date.parse(indicator.expirationTime), Date.parse(first.expiresAt));

    // A second one for the same value must not take it over: its end would take the first one's guard away.
    const second = await propose(proposal({ ownFilter: true }));
    await approve(second.id);
    const half = await inState(second.id, 'registered');
    assert.deepEqual(half.attention, ['defender-indicator-not-set']);
    const told = await until('the SOC is told', async () =>
      (await house.mails()).find(({ to, text }) => to.includes('soc@mimamori.example') && text.includes(second.id)),
    );
    assert.match(told.text, /the tenant has an indicator for the same value/);
    assert.equal((await indicators())[0].title, `Mimamori ${first.id}`);

    await send(first.id, 'shorten', { expiresAt: toInstant(Date.now()), reason: 'replaced' });
    await until('it is taken away', async () => ((await indicators()).length === 0 ? true : undefined));
    assert.equal((await send(second.id, 'retry', { reason: 'the other is gone' })).status, 200);
    await when(second.id, 'whole', ({ parts }) => parts.every(({ status }: Reply['body']) => status === 'set'));
    assert.equal((await indicators())[0].title, `Mimamori ${second.id}`);
  });

  it('an indicator that Defender has set, and whose answer was lost, is not set twice', async () => {
    const began = toInstant(Date.now());
    await house.control('POST', '/sim/faults', {
      target: 'defender',
      path: '/api/indicators/import',
      times: 1,
      dropAfterAccept: true,
    });
    const { id } = await propose({
      ...body(''),
      conditions: { domain: 'backup.acme.example' },
      set: { defenderIndicator: true },
    });
    await approve(id);
    await inState(id, 'registered');
    assert.equal((await indicators()).filter(({ title }) => title === `Mimamori ${id}`).length, 1);
    // The next try has found what the first one did: it asks for nothing, and so cannot be refused.
    const { items } = await house.control('GET', '/sim/requests?target=defender');
    const imports = items.filter(({ path, at: sentAt }: Reply['body']) => path.endsWith('/import') && sentAt >= began);
    assert.equal(imports.length, 1);
  });

  const hash = (digit: string) => digit.repeat(64);
  const allowing = (sha256: string, set: Record<string, unknown> = {}) => ({
    ...body(''),
    conditions: { sha256 },
    set: { defenderIndicator: true, ...set },
  });
  const ofHash = async (sha256: string) => (await indicators()).filter((one) => one.indicatorValue === sha256);
  const now = () => toInstant(Date.now());
  const fault = (more: Record<string, unknown>) =>
    house.control('POST', '/sim/faults', { target: 'defender', path: '/api/indicators/import', times: 1, ...more });
  const mailsOn = async (id: string, kind: string) =>
    (await house.mails()).filter(({ headers, text }) => headers['x-mimamori-kind'] === kind && text.includes(id));
  const asking = () => ({ by: '佐藤', channel: 'mail', receivedAt: now(), words: 'お願いします。' });

  it('of two for one hash, approved at once, one has it and the other says so', async () => {
    const [one, two] = [await propose(allowing(hash('d'))), await propose(allowing(hash('d')))];
    await Promise.all([approve(one.id), approve(two.id)]);
    const settled = ({ parts }: Reply['body']) => parts[0].status !== 'outstanding';
    const both = [await when(one.id, 'settled', settled), await when(two.id, 'settled', settled)];
    assert.deepEqual(both.map(({ parts }) => parts[0].status).sort(), ['failed', 'set']);
    const winner = both.find(({ parts }) => parts[0].status === 'set');
    assert.deepEqual(
      (await ofHash(hash('d'))).map(({ title }) => title),
      [`Mimamori ${winner.id}`],
    );
  });

  it('an indicator that somebody in the tenant has made theirs is left to them, and told', async () => {
    const { id } = await propose(allowing(hash('b')));
    await approve(id);
    await inState(id, 'registered');
    const { credentials, url } = house.sim;
    const client = createDefenderClient({
      signIn: createSignIn({
        clientId: credentials.defenderClientId,
        credential: { secret: credentials.defenderClientSecret },
        tokenEndpoint: `${url}/{tenantid}/oauth2/v2.0/token`,
      }),
      timeoutMs: 5_000,
      maxInFlightPerTenant: 1,
    });
    const theirs = {
      indicatorType: 'FileSha256',
      indicatorValue: hash('b'),
      action: 'Allowed',
      title: 'Backup tool, edited by IT',
      description: 'ours now',
      expirationTime: expiresAt(),
    } as const;
    await client.importIndicators({ tenantId: house.tenantOf(acme), apiBase: url }, [theirs]);
    await send(id, 'shorten', { expiresAt: now(), reason: 'an attack' });
    await when(id, 'told', ({ attention }) => attention.includes('defender-indicator-not-removed'));
    assert.deepEqual(
      (await ofHash(hash('b'))).map(({ title }) => title),
      [theirs.title],
    );
  });

  it('nothing is set in Defender after it was withdrawn', async () => {
    await fault({ path: '/api/indicators', times: 3, status: 503 });
    const { id } = await propose({ ...allowing(hash('f')), customerRequest: asking() });
    await approve(id);
    await until('it is tried', async () => {
      const { items } = await house.control('GET', '/sim/requests?target=defender');
      return (
        items.some(({ path, status }: Reply['body']) => path.includes('/indicators') && status === 503) || undefined
      );
    });
    assert.equal((await send(id, 'withdraw', { reason: 'a mistake' })).status, 200);
    await until('its workflow has ended', async () => {
      const { status } = await house.client.workflow.getHandle(id).describe();
      return status.name === 'COMPLETED' ? true : undefined;
    });
    const { body: shown } = await house.get(at(id));
    assert.ok(!shown.timeline.some(({ text }: Reply['body']) => /^Set: /.test(text.en)));
    assert.deepEqual(await ofHash(hash('f')), []);
  });

  it('the customer’s last word is what holds: a part that is set later, an earlier end', async () => {
    await fault({ times: 2, status: 403 });
    const { id } = await propose({ ...allowing(hash('1'), { ownFilter: true }), customerRequest: asking() });
    await approve(id);
    await inState(id, 'confirmed');
    const [first] = await mailsOn(id, 'exclusion-confirmed');
    assert.match(first?.text ?? '', /■ 設定できていないもの/);
    assert.equal((await send(id, 'retry', { reason: 'consented' })).status, 200);
    await until('told again', async () => ((await mailsOn(id, 'exclusion-confirmed')).length === 2 ? true : undefined));
    const second = (await mailsOn(id, 'exclusion-confirmed')).at(-1);
    assert.doesNotMatch(second?.text ?? '', /■ 設定できていないもの/);

    const sooner = plus(now(), 2 * DAY_MS);
    assert.equal((await send(id, 'shorten', { expiresAt: sooner, reason: 'agreed' })).status, 200);
    await until('told of the end', async () =>
      (await mailsOn(id, 'exclusion-confirmed')).length === 3 ? true : undefined,
    );
    await until('Defender has it too', async () => {
      const [indicator] = await ofHash(hash('1'));
      return Date.parse(indicator.expirationTime) === Date.parse(sooner) ? true : undefined;
    });
  });

  it('a rule made by hand is given to the SOC to take back by hand', async () => {
    const portalRule = { by: 'yamada', at: now(), note: 'suppression rule' };
    const file = program();
    const { id: incidentId } = await house.alert(acme, { evidence: evidence(file) });
    await listed(incidentId);
    const { id } = await propose(body(file, { set: { portalRule } }));
    const { body: preview } = await house.get(at(id, '/preview'));
    assert.deepEqual([preview.excluded, preview.effects.closes], [1, 0], 'Defender’s portal closes nothing here');
    await approve(id);
    await inState(id, 'registered');
    assert.equal((await house.incident(incidentId)).stage, 'awaiting-triage');
    await send(id, 'shorten', { expiresAt: now(), reason: 'an attack' });
    await when(id, 'shown', ({ attention }) => attention.includes('portal-rule-not-removed'));
    const mail = await until('the SOC is told', async () => (await mailsOn(id, 'soc-failure'))[0]);
    assert.match(mail.text, /made by hand in Defender’s portal/);
  });

  it('also where it never came to a registration', async () => {
    const portalRule = { by: 'yamada', at: now(), note: 'suppression rule' };
    const { id } = await propose(body(program(), { set: { ownFilter: true, portalRule } }));
    await send(id, 'decline', { reason: 'it hides attacks' });
    await when(id, 'shown', ({ attention }) => attention.includes('portal-rule-not-removed'));
    await until('the SOC is told', async () => (await mailsOn(id, 'soc-failure'))[0]);
  });

  it('two people whose clients use the same key are two', async () => {
    const { id } = await propose(body('', { conditions: { title: `Own tool ${names}` } }));
    const headers = { 'Idempotency-Key': 'approve' };
    const approveAs = (as: AskOptions['as']) => house.post(at(id, '/approve'), {}, { as, headers });
    assert.equal((await approveAs('second')).status, 200);
    const other = await approveAs('bound');
    assert.deepEqual([other.status, other.body.code], [409, 'idempotency-mismatch']);
    assert.equal((await house.get(at(id))).body.approvals.length, 1);
  });

  it('an alert that its next version takes out of an exclusion is listed there no more', async () => {
    const file = program();
    const { id } = await propose(body(file));
    await approve(id);
    await inState(id, 'registered');
    const { id: incidentId, alert: raised } = await house.alert(acme, { evidence: evidence(file) });
    await house.incidentWhen(incidentId, 'excluded', ({ closeReason }) => closeReason === 'excluded');
    const path = `/sim/tenants/${house.tenantOf(acme)}/alerts/${raised.id}`;
    const newer = await house.control('PATCH', path, { evidence: evidence(program()) });
    await house.post(`/v1/customers/${acme}/alerts`, newer);
    await house.incidentWhen(incidentId, 'open', ({ stage }) => stage === 'awaiting-triage');
    await until('it is listed no more', async () => {
      const { body: page } = await house.get(`/v1/incidents?exclusion=${id}`);
      return page.items.length === 0 ? true : undefined;
    });
  });

  it('the confirmation for an incident that is linked answers in the lead’s thread, by its subject', async () => {
    const file = program();
    const lead = await house.alert(acme, { title: 'The lead' });
    const linked = await house.alert(acme, { title: 'The linked one', evidence: evidence(file) });
    await house.command(lead.id, 'triage', verdict(2));
    await house.incidentWhen(lead.id, 'told', ({ stage }) => stage === 'notified');
    await house.command(linked.id, 'link', { leadIncidentId: lead.id });
    await house.command(linked.id, 'triage', verdict(2, { exclusionProposal: { what: file, why: 'yours?' } }));
    await house.incidentWhen(linked.id, 'told', ({ stage }) => stage === 'notified');
    const { id } = await propose(body(file, { incidentId: linked.id }));
    await send(id, 'request', asking());
    await approve(id);
    await inState(id, 'confirmed');
    const [mail] = await mailsOn(id, 'exclusion-confirmed');
    const thread = await house.mails(lead.id);
    assert.equal(mail?.subject, thread.at(-1)?.subject);
    assert.equal(mail?.headers['in-reply-to'], thread.at(-1)?.headers['message-id']);
  });

  it('what cannot be looked at counts as matched: a broad one stays broad while nobody can tell', async () => {
    const file = program();
    const { id: incidentId } = await house.alert(acme, { evidence: evidence(file) });
    await listed(incidentId);
    await house.stopWorker();
    try {
      const { approvalsNeeded, breadth } = await propose(body(file));
      assert.equal(approvalsNeeded, 2, JSON.stringify(breadth));
    } finally {
      await house.startWorker();
    }
  });

  it('a customer whose exclusions nobody can tell has its devices isolated all the same', async () => {
    const globex = house.customer('globex');
    // A workflow of which no worker knows the type: its task fails for ever.
    const stuck = await house.client.workflow.start('no-such-type', {
      workflowId: customerWorkflowId(globex),
      taskQueue: house.taskQueue,
      memo: { tuningPeriods: [], exclusionsRevision: 1 },
    });
    const machineId = await newDevice(house, globex, {});
    const { id } = await house.alert(globex, { machineId });
    await house.command(id, 'triage', verdict(3));
    await house.incidentWhen(id, 'isolated', ({ stage }) => stage === 'awaiting-release', 40_000);
    await stuck.terminate();
  });

  it('the same proposal twice is one; with another body it is refused', async () => {
    const headers = { 'Idempotency-Key': `key-${names}` };
    const proposal = body(program());
    const [one, two] = await Promise.all([propose(proposal, { headers }), propose(proposal, { headers })]);
    assert.equal(one.id, two.id);
    assert.equal((await propose(proposal, { headers })).id, one.id);
    const other = await house.post(`/v1/customers/${acme}/exclusions`, body(program()), { headers });
    assert.deepEqual([other.status, other.body.code], [409, 'idempotency-mismatch']);
    const approving = { as: 'second', headers: { 'Idempotency-Key': 'approval' } } as const;
    const answers = await Promise.all([1, 2].map(() => house.post(at(one.id, '/approve'), {}, approving)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    assert.equal((await inState(one.id, 'registered')).approvals.length, 1);
  });

  for (const [what, change, path] of [
    ['of an asterisk', { conditions: { fileName: '*' } }, 'conditions.fileName'],
    ['of a device alone', { conditions: { device: 'pc-1' } }, 'conditions'],
    ['without an expiry', { expiresAt: undefined }, 'expiresAt'],
    ['for longer than a year', { expiresAt: '2999-01-01T00:00:00Z' }, 'expiresAt'],
    ['without a reason', { reason: ' ' }, 'reason'],
    ['that sets nothing', { set: {} }, 'set'],
    ['with an indicator for a file name', { set: { defenderIndicator: true } }, 'set.defenderIndicator'],
    ['of an incident that is not there', { incidentId: 'incident:acme:none' }, 'incidentId'],
  ] as const) {
    it(`${what} it is refused, and the field named`, async () => {
      const reply = await house.post(`/v1/customers/${acme}/exclusions`, body('a.exe', change));
      assert.equal(reply.status, 422);
      assert.deepEqual(
        reply.body.errors.map((error: Reply['body']) => error.path),
        [path],
      );
    });
  }

  it('is nobody’s business who may not see the customer', async () => {
    const globex = house.customer('globex');
    const reply = await house.post(`/v1/customers/${globex}/exclusions`, body(program()));
    assert.equal(reply.status, 201);
    const { id } = reply.body;
    for (const path of ['', '/preview']) {
      assert.equal((await house.get(at(id, path), { as: 'bound' })).status, 404);
    }
    assert.equal((await send(id, 'approve', {}, 'bound')).status, 404);
    const list = await until('it is listed', async () => {
      const { body: page } = await house.get('/v1/exclusions?state=proposed');
      return page.items.some((item: Reply['body']) => item.id === id) ? page : undefined;
    });
    assert.ok(list.items.every(({ state }: Reply['body']) => state === 'proposed'));
    const { body: bound } = await house.get('/v1/exclusions', { as: 'bound' });
    assert.ok(bound.items.every(({ customerId }: Reply['body']) => customerId === acme));
    assert.equal((await house.get(`/v1/exclusions?customer=${globex}`, { as: 'bound' })).body.items.length, 0);
  });

  it('is shown from its memo while no worker is up', async () => {
    const { id } = await propose(body(program()));
    await house.stopWorker();
    try {
      const { status, body: shown } = await house.get(at(id));
      assert.deepEqual([status, shown.state, shown.partial], [200, 'proposed', true]);
      const late = await send(id, 'approve', {});
      assert.deepEqual([late.status, late.body.code], [503, 'worker-unavailable']);
    } finally {
      await house.startWorker();
    }
    assert.equal((await inState(id, 'proposed')).approvals.length, 0);
  });
});
