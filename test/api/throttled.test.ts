import assert from 'node:assert/strict';
import { Connection, ServiceError } from '@temporalio/client';
import { reach } from '../../src/api/gateway.js';
import { Problem } from '../../src/api/problem.js';
import { createApiClient } from '../../src/temporal/connect.js';

describe('a Temporal that refuses because too much is asked of it', () => {
  it('is away, as far as a caller can tell: what was asked was not carried out', async () => {
    const connection = Connection.lazy();
    try {
      const answered = Object.assign(new Error('busy'), { code: 8, details: 'busy', metadata: {} });
      const call = () => Promise.reject(new ServiceError('the client’s words', { cause: answered }));
      const gateway = { client: createApiClient(connection, 'default', undefined), taskQueue: 'any' };
      await assert.rejects(reach(gateway, call), (problem) => {
        assert.ok(problem instanceof Problem);
        assert.equal(problem.code, 'temporal-unavailable');
        return true;
      });
    } finally {
      await connection.close();
    }
  });
});
