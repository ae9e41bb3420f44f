import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { requestMetrics } from '../../src/api/request-metrics.js';
import { startApp, type LoneApp } from '../support/app.js';

describe("the API's requests as metrics", () => {
  const registry = new Registry();
  let app: LoneApp;
  before(async () => {
    app = await startApp({ watch: requestMetrics(registry) });
  });
  after(() => app.close());

  it('are counted by route, and hold nothing of what a caller has sent', async () => {
    const secrets = ['incident%3Aacme%3Asecret-alert', 'secret-path', 'secret-query', 'secret-operator'];
    const requests: [string, string, RequestInit?][] = [
      ['401', `/v1/incidents/${secrets[0]}`],
      ['401', `/v1/incidents?customer=${secrets[2]}`, { headers: { Authorization: `Bearer ${secrets[3]}` } }],
      ['404', `/${secrets[1]}`],
      ['404', `/${secrets[1]}/again`, { method: 'PROPFIND' }],
      ['404', '/metrics'],
      ['200', '/healthz'],
    ];
    for (const [status, path, init] of requests) {
      assert.equal(String((await fetch(`${app.url}${path}`, init)).status), status, path);
    }
    const counter = await registry.getSingleMetric('mimamori_api_requests_total')?.get();
    const counts = (counter?.values ?? []).map(
      ({ labels: { method, route, status }, value }) => `${method} ${route} ${status}: ${value}`,
    );
    assert.deepEqual(counts.sort(), [
      'get /healthz 200: 1',
      'get /v1/incidents 401: 1',
      'get /v1/incidents/:id 401: 1',
      'get none 404: 2',
      'other none 404: 1',
    ]);
    const text = await registry.metrics();
    for (const secret of secrets) assert.ok(!text.includes(secret.slice(0, 10)), secret);
    assert.match(text, /mimamori_api_request_duration_seconds_count\{method="get"\} 5/);
  });
});
