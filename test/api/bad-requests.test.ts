import { House, instruction, verdict } from '../support/house.js';
import { refuses, type Refusal } from '../support/refusals.js';

describe('alerts, lists and paths that the API refuses', () => {
  let house: House;
  let acme = '';
  let incident = '';
  before(async () => {
    house = await House.open();
    acme = house.customer('acme');
    ({ id: incident } = await house.alert(acme, { machineId: 'machine-1', computerDnsName: 'pc-1' }));
    await house.incidentWhen(incident, 'looked up', ({ timeline }) =>
      timeline.some(({ type }: { type: string }) => type === 'device-known'),
    );
  });
  after(() => house.close());

  const refused = (cases: Refusal[]) => refuses(() => ({ house, acme, incident }), cases);

  const long = (length: number) => 'x'.repeat(length);

  describe('an alert', () => {
    const path = '/v1/customers/{acme}/alerts';
    const fine = { id: 'da-fine', alertCreationTime: '2026-01-01T00:00:00Z' };
    const bad = (name: string, body: unknown, ...paths: string[]): Refusal => ({
      name,
      path,
      body,
      status: 422,
      paths,
    });
    refused([
      bad('no id', { ...fine, id: undefined }, 'id'),
      bad('id null', { ...fine, id: null }, 'id'),
      bad('an empty id', { ...fine, id: '' }, 'id'),
      bad('an id with a blank', { ...fine, id: 'da 1' }, 'id'),
      bad('an id with a line break', { ...fine, id: 'da\n1' }, 'id'),
      bad('an over-long id', { ...fine, id: long(129) }, 'id'),
      bad('an id as an object', { ...fine, id: { a: 1 } }, 'id'),
      bad('no time', { id: 'da-1' }, 'alertCreationTime'),
      bad('a time that cannot be read', { ...fine, alertCreationTime: 'yesterday' }, 'alertCreationTime'),
      bad('a time null', { ...fine, alertCreationTime: null }, 'alertCreationTime'),
      bad('evidence as a text', { ...fine, evidence: 'none' }, 'evidence'),
      bad('a machine id with a blank', { ...fine, machineId: 'a b' }, 'machineId'),
      bad('several at once', [fine], ''),
      {
        ...bad('of a foreign tenant', { ...fine, aadTenantId: '99999999-9999-4999-8999-999999999999' }, 'aadTenantId'),
        code: 'tenant-mismatch',
      },
      { name: 'too large', path, body: { ...fine, description: long(2_200_000) }, status: 413 },
      { name: 'no JSON', path, body: '<alert/>', status: 400 },
      {
        name: 'of no customer',
        path: '/v1/customers/nobody/alerts',
        body: fine,
        status: 404,
        code: 'unknown-customer',
      },
      {
        name: 'of a customer id that can be none',
        path: "/v1/customers/A%20B'/alerts",
        body: fine,
        status: 404,
        code: 'unknown-customer',
      },
    ]);
  });

  describe('what a list or a path asks for', () => {
    const bad = (path: string, ...paths: string[]): Refusal => ({
      name: path,
      method: 'GET',
      path,
      status: 422,
      paths,
    });
    const missing = (path: string, code: string, method: Refusal['method'] = 'GET', body?: unknown): Refusal => ({
      name: `${method} ${path.slice(0, 80)}`,
      method,
      path,
      body,
      status: 404,
      code,
    });
    refused([
      bad('/v1/incidents?stage=open', 'stage'),
      bad('/v1/incidents?stage=closed&stage=notified', 'stage'),
      bad('/v1/incidents?level=5', 'level'),
      bad('/v1/incidents?level=high', 'level'),
      bad('/v1/incidents?level=', 'level'),
      bad('/v1/incidents?slo=late', 'slo'),
      bad('/v1/incidents?limit=0', 'limit'),
      bad('/v1/incidents?limit=1000', 'limit'),
      bad('/v1/incidents?limit=x', 'limit'),
      bad('/v1/incidents?limit=1.5', 'limit'),
      bad('/v1/incidents?pageToken=AAAA', 'pageToken'),
      bad('/v1/incidents?pageToken=%7Bno%7D', 'pageToken'),
      bad('/v1/incidents?customer=A%20B', 'customer'),
      bad('/v1/incidents?machine=a%20b', 'machine'),
      bad('/v1/incidents?assignee=', 'assignee'),
      bad('/v1/incidents?sort=age&order=up', 'sort', 'order'),
      bad('/v1/queue?limit=3', 'limit'),
      bad('/v1/queue?customer=', 'customer'),
      bad('/v1/devices?isolated=yes', 'isolated'),
      bad('/v1/devices?limit=0', 'limit'),
      bad('/v1/devices?pageToken=AAAA', 'pageToken'),
      bad('/v1/devices?machine=m', 'machine'),
      missing('/v1/incidents/incident:nobody:da-1', 'unknown-incident'),
      missing('/v1/incidents/da-1', 'unknown-incident'),
      missing('/v1/incidents/device%3A{acme}%3Amachine-1', 'unknown-incident'),
      missing(`/v1/incidents/incident:acme:${long(2_000)}`, 'unknown-incident'),
      missing('/v1/incidents/incident:nobody:da-1/notes', 'unknown-incident', 'POST', { text: 'n' }),
      missing('/v1/devices/{acme}/never-seen', 'unknown-device'),
      missing('/v1/devices/nobody/machine-1', 'unknown-device'),
      missing(`/v1/devices/{acme}/${long(2_000)}`, 'unknown-device'),
      missing('/v1/devices/{acme}/a%00b', 'unknown-device'),
      missing("/v1/devices/{acme}/it's%5C", 'unknown-device'),
      missing('/v1/devices/{acme}/never-seen/release', 'unknown-device', 'POST', { instruction: instruction() }),
      missing('/v1/nothing', 'not-found'),
      missing('/', 'not-found'),
      missing('/v1/incidents/{id}/delete', 'not-found', 'POST', {}),
      missing('/v1/incidents/{id}', 'not-found', 'DELETE'),
      missing('/v1/incidents/{id}/triage', 'not-found', 'PUT', verdict(1)),
      missing('/v1/incidents/%E0%A4%A', 'not-found'),
      missing('/v1/customers/%zz/alerts', 'not-found', 'POST', {}),
      missing('/docs/%E0%A4%A', 'not-found'),
    ]);
  });
});
