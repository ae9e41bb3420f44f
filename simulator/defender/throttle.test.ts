import assert from 'node:assert/strict';
import { Throttle } from './throttle.js';

describe('Defender throttle', () => {
  it('lets 100 calls a minute through and asks the next to wait out the minute', () => {
    const throttle = new Throttle();
    const limits = { callsPerMinute: 100, callsPerHour: 1500 };
    for (let call = 0; call < 100; call += 1) assert.equal(throttle.retryAfterSeconds(limits), null);
    assert.equal(throttle.retryAfterSeconds(limits), 60);
  });

  it('asks to wait out the hour when that is full', () => {
    const throttle = new Throttle();
    assert.equal(throttle.retryAfterSeconds({ callsPerMinute: 100, callsPerHour: 1 }), null);
    assert.equal(throttle.retryAfterSeconds({ callsPerMinute: 100, callsPerHour: 1 }), 3600);
  });
});
