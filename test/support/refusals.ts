import assert from 'node:assert/strict';
import type { AskOptions, House } from './house.js';

/** A request that the API must refuse, and how. */
export interface Refusal {
  name: string;
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{acme}` is the customer's id, `{id}` the incident's. */
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  as?: AskOptions['as'];
  status: number;
  /** `invalid-input` unless said otherwise. */
  code?: string;
  /** Of the fields that are named, in any order. */
  paths?: string[];
}

export interface RefusalGround {
  house: House;
  acme: string;
  incident: string;
}

/** One test for each. */
export function refuses(ground: () => RefusalGround, refusals: Refusal[]): void {
  for (const { name, method = 'POST', path, body, headers = {}, as = 'analyst', status, ...expected } of refusals) {
    it(`${name}: ${status}`, async () => {
      const { house, acme, incident } = ground();
      const at = path.replace('{acme}', acme).replace('{id}', encodeURIComponent(incident));
      const reply = await house.ask(method, at, body, { as, headers });
      const shown = JSON.stringify(reply.body).slice(0, 500);
      const code = expected.code ?? 'invalid-input';
      assert.equal(reply.status, status, shown);
      assert.match(reply.headers.get('content-type') ?? '', /^application\/problem\+json/);
      assert.equal(reply.body.code, code, shown);
      assert.equal(reply.body.type, `urn:mimamori:problem:${code}`);
      assert.equal(reply.body.status, status);
      assert.equal(reply.body.requestId, reply.headers.get('x-request-id'));
      assert.notEqual(reply.body.title, '');
      assert.notEqual(reply.body.detail, '');
      const errors: { path: string; message: string }[] = reply.body.errors ?? [];
      assert.deepEqual(errors.map((error) => error.path).sort(), (expected.paths ?? []).toSorted(), shown);
      for (const { message } of errors) assert.notEqual(message, '');
    });
  }
}
