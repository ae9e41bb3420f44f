import assert from 'node:assert/strict';
import { ServiceError } from '@temporalio/client';
import { isOutage, isThrottled, isTrouble } from '../../src/temporal/grpc.js';

/** As the client gives on what the server has answered. */
function failed(code: number): Error {
  const answered = Object.assign(new Error('refused'), { code, details: 'refused', metadata: {} });
  return new ServiceError('the client’s words', { cause: answered });
}

const TABLE: [name: string, code: number, is: { outage: boolean; throttled: boolean; trouble: boolean }][] = [
  ['CANCELLED', 1, { outage: true, throttled: false, trouble: true }],
  ['UNKNOWN', 2, { outage: false, throttled: false, trouble: true }],
  ['INVALID_ARGUMENT', 3, { outage: false, throttled: false, trouble: false }],
  ['DEADLINE_EXCEEDED', 4, { outage: true, throttled: false, trouble: true }],
  ['NOT_FOUND', 5, { outage: false, throttled: false, trouble: false }],
  ['RESOURCE_EXHAUSTED', 8, { outage: false, throttled: true, trouble: true }],
  ['FAILED_PRECONDITION', 9, { outage: false, throttled: false, trouble: false }],
  ['INTERNAL', 13, { outage: false, throttled: false, trouble: true }],
  ['UNAVAILABLE', 14, { outage: true, throttled: false, trouble: true }],
];

describe('what Temporal answers', () => {
  for (const [name, code, is] of TABLE) {
    it(`${name}, by whose fault`, () => {
      const error = failed(code);
      assert.deepEqual({ outage: isOutage(error), throttled: isThrottled(error), trouble: isTrouble(error) }, is);
    });
  }

  it('is no answer of Temporal’s: a fault of the program', () => {
    assert.equal(isTrouble(new TypeError('x is not a function')), false);
  });
});
