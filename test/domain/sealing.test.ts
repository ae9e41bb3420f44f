import assert from 'node:assert/strict';
import {
  isForgotten,
  keyErrorIn,
  KeyMissing,
  scopeOfKey,
  scopeOfWorkflow,
  SealBroken,
} from '../../src/domain/sealing.js';

describe('whose key', () => {
  const table: [string | undefined, string][] = [
    ['incident:acme:da637_-12', 'acme'],
    ['incident:acme:alert:with:colons', 'acme'],
    ['device:acme:0123456789abcdef0123456789abcdef01234567', 'acme'],
    ['phone:acme', 'acme'],
    ['feed:globex', 'globex'],
    ['rejected:acme:1234', 'acme'],
    ['customer:acme', 'acme'],
    ['exclusion:acme:k1', 'acme'],
    ['inquiry:acme:alert.da1', 'acme'],
    ['auditor-2026-11-29T13:14:15Z', '_service'],
    ['auditor', '_service'],
    ['audit', '_service'],
    ['mailbox', '_service'],
    ['strangers', '_service'],
    ['mail:0123456789abcdef', '_service'],
    ['mail:acme', '_service'],
    ['incident', '_service'],
    ['incident:', '_service'],
    ['', '_service'],
    [undefined, '_service'],
  ];
  for (const [workflowId, scope] of table) {
    it(`encrypts ${JSON.stringify(workflowId)}: ${scope}`, () => assert.equal(scopeOfWorkflow(workflowId), scope));
  }

  it('is before the last full stop of the key', () => {
    assert.equal(scopeOfKey('acme.2'), 'acme');
    assert.equal(scopeOfKey('_service.12'), '_service');
  });
});

describe('an error about a key', () => {
  it('is found behind those that Temporal’s client wraps it in', () => {
    const missing = new KeyMissing('the key acme.1 is not among the keys');
    const wrapped = new Error('outer', { cause: new Error('inner', { cause: missing }) });
    assert.equal(keyErrorIn(wrapped), missing);
    assert.equal(isForgotten(wrapped), false);
    assert.equal(isForgotten(new Error('outer', { cause: new KeyMissing('gone', true) })), true);
    assert.equal(isForgotten(new SealBroken('broken')), false);
    assert.equal(keyErrorIn(new Error('something else')), undefined);
  });
});
