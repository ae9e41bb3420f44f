import assert from 'node:assert/strict';
import { moveAfterLook, standing } from '../../src/domain/device/actions.js';
import type { ActionRecord } from '../../src/domain/device/record.js';

const NOW = '2026-11-29T03:00:00.000Z';

function action(type: ActionRecord['type'], status: string): ActionRecord {
  return { id: `${type}-1`, type, status, requestedAt: NOW, updatedAt: NOW };
}

describe('what is done after a look at Defender', () => {
  const rows: [kind: 'isolate' | 'release', listed: ActionRecord[], what: 'post' | 'take' | 'wait'][] = [
    ['isolate', [], 'post'],
    ['isolate', [action('Isolate', 'Succeeded')], 'take'],
    ['isolate', [action('Isolate', 'Pending')], 'take'],
    ['isolate', [action('Unisolate', 'Pending')], 'wait'],
    ['release', [action('Isolate', 'Succeeded')], 'post'],
    ['release', [action('Unisolate', 'Succeeded')], 'take'],
    ['release', [action('Isolate', 'Pending')], 'wait'],
    // Nothing says that it was given back: Defender may have forgotten what it did, or be another tenant.
    ['release', [], 'post'],
    ['release', [action('Isolate', 'Failed')], 'post'],
  ];
  for (const [kind, listed, what] of rows) {
    const shown = listed.map(({ type, status }) => `${type} ${status}`).join(', ') || 'nothing listed';
    it(`${kind}, ${shown}: ${what}`, () => {
      assert.equal(moveAfterLook(standing(listed, NOW), kind, [], NOW).do, what);
    });
  }
});
