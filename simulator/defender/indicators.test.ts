import assert from 'node:assert/strict';
import { z } from 'zod';
import { Bench, errorSchema, listOf, send, until } from '../testing.js';

const indicatorSchema = z.looseObject({
  id: z.string(),
  indicatorValue: z.string(),
  indicatorType: z.string(),
  action: z.string(),
  title: z.string(),
  application: z.string().nullable(),
  createdBy: z.string(),
  severity: z.string(),
  expirationTime: z.string().nullable(),
  lastUpdateTime: z.string(),
  creationTimeDateTimeUtc: z.string(),
});
const listSchema = z.object({ '@odata.context': z.string(), value: z.array(indicatorSchema) });
const importedSchema = z.object({
  value: z.array(
    z.object({
      id: z.string().nullable(),
      indicator: z.string(),
      isFailed: z.boolean(),
      failureReason: z.string().nullable(),
    }),
  ),
});

const sha1 = '220e7d15b011d7fac48f2bd61114db1022197f7f';
const blocked = {
  indicatorValue: sha1,
  indicatorType: 'FileSha1',
  action: 'Block',
  title: 'A dropper',
  description: 'Seen in an incident',
};

const address = (number: number): string => `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;

describe('Indicators', () => {
  let bench: Bench;

  before(async () => {
    bench = await Bench.start();
  });

  after(() => bench.simulator.stop());

  beforeEach(() => bench.control('POST', '/reset'));

  const post = async (changes: object = {}) => bench.defender('POST', '/api/indicators', { ...blocked, ...changes });

  const submit = async (changes: object = {}) => {
    const answer = await post(changes);
    assert.equal(answer.status, 200, answer.text);
    return answer.json(indicatorSchema);
  };

  const list = async (query = '') => {
    const answer = await bench.defender('GET', `/api/indicators${query}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json(listSchema).value;
  };

  it('are made once for each value and type, and updated from then on', async () => {
    const made = await submit({ application: 'first' });
    assert.equal(made.createdBy, bench.simulator.credentials.defenderClientId);
    assert.equal(made.severity, 'Informational');
    const again = await submit({
      indicatorValue: sha1.toUpperCase(),
      action: 'Allowed',
      application: 'second',
      severity: 'High',
    });
    assert.equal(again.id, made.id);
    assert.equal(again.creationTimeDateTimeUtc, made.creationTimeDateTimeUtc);
    assert.ok(again.lastUpdateTime > made.lastUpdateTime);
    assert.deepEqual([again.action, again.severity], ['Allowed', 'High']);
    // Only a new indicator takes it.
    assert.equal(again.application, 'first');
    const other = await submit({ indicatorValue: '198.51.100.7', indicatorType: 'IpAddress' });
    assert.notEqual(other.id, made.id);
    assert.equal((await bench.tenantControl('GET', '/indicators')).json(listOf(indicatorSchema)).items.length, 2);
    assert.equal(
      (await bench.defender('GET', '/api/indicators', undefined, 'another')).json(listSchema).value.length,
      0,
    );
  });

  it('are listed, filtered, paged, read one by one', async () => {
    const first = await submit();
    const second = await submit({ indicatorValue: 'evil.example', indicatorType: 'DomainName', action: 'Warn' });
    const ids = async (query: string) => (await list(query)).map(({ id }) => id);
    assert.deepEqual(await ids(''), [second.id, first.id]);
    assert.deepEqual(await ids("?$filter=action eq 'Block'"), [first.id]);
    assert.deepEqual(await ids(`?$filter=indicatorValue eq '${sha1}' and indicatorType eq 'FileSha1'`), [first.id]);
    assert.deepEqual(await ids('?$top=1&$skip=1'), [first.id]);
    assert.equal((await bench.defender('GET', '/api/indicators?$filter=version eq 1')).status, 400);
    const read = await bench.defender('GET', `/api/indicators/${first.id}`);
    assert.equal(read.json(indicatorSchema).indicatorValue, sha1);
    const missing = await bench.defender('GET', '/api/indicators/999');
    assert.deepEqual([missing.status, missing.json(errorSchema).error.code], [404, 'ResourceNotFound']);
  });

  const refused: [string, object, string][] = [
    ['no title', { title: undefined }, 'MissingRequiredParameter'],
    ['no description', { description: undefined }, 'MissingRequiredParameter'],
    ['an action that is none', { action: 'Explode' }, 'InvalidInput'],
    ['an audit without an alert', { action: 'Audit' }, 'InvalidInput'],
    ['a time that is none', { expirationTime: 'tomorrow' }, 'InvalidInput'],
    ['a hash of another length', { indicatorType: 'FileSha256' }, 'InvalidHashValue'],
    ['a thumbprint that is none', { indicatorType: 'CertificateThumbprint', indicatorValue: 'x' }, 'InvalidHashValue'],
    ['a range of addresses', { indicatorType: 'IpAddress', indicatorValue: '198.51.100.0/24' }, 'InvalidIpAddress'],
    ['an address that is none', { indicatorType: 'IpAddress', indicatorValue: '198.51.100.256' }, 'InvalidIpAddress'],
    ['a domain with a path', { indicatorType: 'DomainName', indicatorValue: 'evil.example/x' }, 'InvalidDomainName'],
    ['a domain of one word', { indicatorType: 'DomainName', indicatorValue: 'evil' }, 'InvalidDomainName'],
    ['a URL with a space', { indicatorType: 'Url', indicatorValue: 'https://evil.example/a b' }, 'InvalidUrl'],
    ['a URL of another protocol', { indicatorType: 'Url', indicatorValue: 'ftp://evil.example/' }, 'InvalidUrl'],
  ];
  for (const [what, changes, code] of refused)
    it(`with ${what} is refused: ${code}`, async () => {
      const answer = await post(changes);
      assert.equal(answer.status, 400);
      assert.equal(answer.json(errorSchema).error.code, code);
      assert.deepEqual(await list(), []);
    });

  const accepted: [string, string][] = [
    ['FileMd5', 'd41d8cd98f00b204e9800998ecf8427e'],
    ['FileSha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['CertificateThumbprint', sha1],
    ['IpAddress', '2001:db8::1'],
    ['DomainName', 'www.evil-one.example'],
    ['Url', 'https://evil.example/path?x=1'],
    ['Url', 'evil.example/path'],
  ];
  for (const [indicatorType, indicatorValue] of accepted)
    it(`of ${indicatorType} may be ${indicatorValue}`, async () => {
      assert.equal((await submit({ indicatorType, indicatorValue })).indicatorValue, indicatorValue);
    });

  it('audit with an alert', async () => {
    assert.equal((await submit({ action: 'Audit', generateAlert: true }))['generateAlert'], true);
  });

  it('come in batches in which each is judged by itself', async () => {
    const Indicators = [
      blocked,
      { ...blocked, indicatorValue: 'nonsense' },
      { ...blocked, indicatorValue: '198.51.100.8', indicatorType: 'IpAddress', title: undefined },
      { ...blocked, indicatorValue: 'evil.example', indicatorType: 'DomainName' },
    ];
    const answer = await bench.defender('POST', '/api/indicators/import', { Indicators });
    assert.equal(answer.status, 200);
    const { value } = answer.json(importedSchema);
    assert.deepEqual(
      value.map(({ indicator, isFailed }) => [indicator, isFailed]),
      [
        [sha1, false],
        ['nonsense', true],
        ['198.51.100.8', true],
        ['evil.example', false],
      ],
    );
    assert.match(value[1]?.failureReason ?? '', /nonsense/);
    assert.match(value[2]?.failureReason ?? '', /title/);
    assert.deepEqual(new Set((await list()).map(({ id }) => id)), new Set([value[0]?.id, value[3]?.id]));
  });

  it('come in batches of 500, 30 times in a minute, and 15,000 are all that a tenant can have', async () => {
    const batch = (from: number, size: number) => ({
      Indicators: Array.from({ length: size }, (_, index) => ({
        ...blocked,
        indicatorType: 'IpAddress',
        indicatorValue: address(from + index),
      })),
    });
    const tooMany = await bench.defender('POST', '/api/indicators/import', batch(0, 501));
    assert.deepEqual([tooMany.status, tooMany.json(errorSchema).error.code], [400, 'MaximumBatchSizeExceeded']);
    assert.equal((await bench.defender('POST', '/api/indicators/import', { indicators: [] })).status, 400);
    for (let from = 0; from < 14_000; from += 500) {
      const answer = await bench.defender('POST', '/api/indicators/import', batch(from, 500));
      assert.equal(answer.status, 200, answer.text);
    }
    assert.equal((await bench.defender('POST', '/api/indicators/import', batch(14_000, 1))).status, 429);
    assert.equal((await post()).status, 200);

    await bench.tenantControl('PATCH', '', { callsPerMinute: 1000 });
    await bench.defender('POST', '/api/indicators/import', batch(14_000, 500));
    const { value } = (await bench.defender('POST', '/api/indicators/import', batch(14_500, 500))).json(importedSchema);
    assert.deepEqual(
      value.filter(({ isFailed }) => isFailed).map(({ indicator }) => indicator),
      [address(14_999)],
    );
    const beyond = await post({ indicatorValue: 'f'.repeat(40) });
    assert.equal(beyond.status, 400);
    assert.match(beyond.json(errorSchema).error.message, /15,?000/);
    assert.equal((await post({ title: 'Updated' })).status, 200);
    const page = (await list('?$top=10000&$skip=10000')).length;
    assert.equal(page, 5000);
  });

  it('are gone when their time is over', async () => {
    const brief = await submit({ expirationTime: new Date(Date.now() + 400).toISOString() });
    const lasting = await submit({ indicatorValue: 'a'.repeat(40), expirationTime: '2100-01-01T00:00:00Z' });
    await submit({ indicatorValue: 'b'.repeat(40), expirationTime: '2020-01-01T00:00:00Z' });
    await until('the end', async () => ((await list()).some(({ id }) => id === brief.id) ? undefined : true));
    assert.deepEqual(
      (await list()).map(({ id }) => id),
      [lasting.id],
    );
    assert.equal((await bench.defender('GET', `/api/indicators/${brief.id}`)).status, 404);
    assert.notEqual((await submit()).id, brief.id);
  });

  it('are taken away one by one, or many at once', async () => {
    const ids: string[] = [];
    for (let number = 0; number < 4; number += 1)
      ids.push((await submit({ indicatorType: 'IpAddress', indicatorValue: address(number) })).id);
    const gone = await bench.defender('DELETE', `/api/indicators/${ids[0] ?? ''}`);
    assert.deepEqual([gone.status, gone.text], [204, '']);
    assert.equal((await bench.defender('DELETE', `/api/indicators/${ids[0] ?? ''}`)).status, 404);
    const remove = async (IndicatorIds: string[]) =>
      bench.defender('POST', '/api/indicators/BatchDelete', { IndicatorIds });
    assert.equal((await remove([ids[1] ?? '', '999'])).status, 404);
    assert.equal((await list()).length, 3);
    assert.equal((await remove([])).status, 400);
    const tooMany = await remove(Array.from({ length: 501 }, (_, number) => String(number)));
    assert.equal(tooMany.json(errorSchema).error.code, 'MaximumBatchSizeExceeded');
    assert.equal((await remove(ids.slice(1, 3))).status, 204);
    assert.deepEqual(
      (await list()).map(({ id }) => id),
      [ids[3]],
    );
  });

  it('need Ti.ReadWrite, or the right to those of all', async () => {
    for (const [roles, status] of [
      [['Alert.ReadWrite.All'], 403],
      [['Ti.ReadWrite'], 200],
      [['Ti.ReadWrite.All'], 200],
    ] as const) {
      await bench.tenantControl('PATCH', '', { roles });
      assert.equal((await bench.defender('GET', '/api/indicators')).status, status);
    }
    assert.equal((await send('GET', `${bench.simulator.url}/api/indicators`)).status, 401);
  });
});
