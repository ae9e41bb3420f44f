import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { Client } from '@temporalio/client';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  type Payload,
  type SerializationContext,
} from '@temporalio/common';
import { encodeErrorToFailure } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { KeyMissing, SealBroken } from '../../src/domain/sealing.js';
import { createSealing, type Key } from '../../src/integrations/keys/keys.js';
import { dataConverterOf } from '../../src/temporal/data-converter.js';
import { executionOf } from '../../src/temporal/executions.js';
import { failureConverter } from '../../src/temporal/failure-converter.js';
import { createPayloadCodec, keyIdOf, sealForCustomers } from '../../src/temporal/payload-codec.js';

const at = (workflowId: string): SerializationContext => ({ type: 'workflow', namespace: 'default', workflowId });
const words = 'マルウェア invoice.exe';

describe('the payload codec', () => {
  let keys: Map<string, Key>;
  beforeEach(() => {
    const scopes = ['_service', 'acme', 'globex'];
    keys = new Map(scopes.map((scope) => [scope, { id: `${scope}.1`, secret: createSecretKey(randomBytes(32)) }]));
  });
  const keyOf = (scope: string) => {
    const key = keys.get(scope);
    return key === undefined ? Promise.reject(new KeyMissing(`no key for ${scope}`, true)) : Promise.resolve(key);
  };
  const sealing = createSealing({
    newest: (scope) => keyOf(scope),
    named: (id) => keyOf(id.slice(0, id.lastIndexOf('.'))),
  });
  const codec = createPayloadCodec(sealing);

  async function encoded(value: unknown, context?: SerializationContext): Promise<Payload> {
    const [sealed] = await codec.encode([defaultPayloadConverter.toPayload(value)], context);
    assert.ok(sealed);
    return sealed;
  }

  async function decoded(payload: Payload, context?: SerializationContext): Promise<unknown> {
    const [plain] = await codec.decode([payload], context);
    assert.ok(plain);
    return defaultPayloadConverter.fromPayload(plain);
  }

  it('encrypts with the key of whose workflow it is, and decrypts without knowing whose', async () => {
    for (const [id, keyId] of [
      ['incident:acme:a1', 'acme.1'],
      ['device:globex:m1', 'globex.1'],
      ['mailbox', '_service.1'],
    ] as const) {
      const sealed = await encoded({ words }, at(id));
      assert.equal(keyIdOf(sealed), keyId);
      assert.equal(Buffer.from(sealed.data ?? []).indexOf('invoice'), -1);
      assert.deepEqual(await decoded(sealed), { words });
    }
    assert.equal(keyIdOf(await encoded(words)), '_service.1');
  });

  it('keeps every kind of payload as it was, with what is said about it', async () => {
    const bytes = randomBytes(10);
    for (const value of [undefined, null, '', [], 0]) assert.deepEqual(await decoded(await encoded(value)), value);
    assert.deepEqual(Buffer.from((await decoded(await encoded(new Uint8Array(bytes)))) as Uint8Array), bytes);
  });

  it('leaves in plain what somebody has sent by hand', async () => {
    const byHand = defaultPayloadConverter.toPayload({ level: 3 });
    assert.deepEqual(await decoded(byHand), { level: 3 });
    assert.equal(keyIdOf(byHand), undefined);
  });

  it('reads nothing that belongs to another key', async () => {
    const sealed = await encoded(words, at('incident:acme:a1'));
    const metadata = { ...sealed.metadata, 'encryption-key-id': Buffer.from('globex.1') };
    await assert.rejects(codec.decode([{ ...sealed, metadata }]), SealBroken);
  });

  it('fails where the key is gone', async () => {
    const sealed = await encoded(words, at('incident:acme:a1'));
    keys.delete('acme');
    await assert.rejects(codec.decode([sealed]), KeyMissing);
    await assert.rejects(encoded(words, at('incident:acme:a1')), KeyMissing);
    assert.equal(await decoded(await encoded(words, at('incident:globex:a1'))), words);
  });

  describe('within a workflow', () => {
    const acme = at('incident:acme:a1');

    it('opens what is its own, and keeps closed what somebody copied there from elsewhere', async () => {
      assert.equal(await decoded(await encoded(words, acme), at('device:acme:m1')), words);
      for (const elsewhere of ['incident:globex:a1', 'held-mail:1']) {
        for (const context of [acme, { ...acme, type: 'activity', isLocal: false } as const]) {
          const found = JSON.stringify(await decoded(await encoded(words, at(elsewhere)), context));
          assert.match(found, /"unreadable":true/);
          assert.doesNotMatch(found, /invoice/);
        }
      }
      assert.match(JSON.stringify(await decoded(await encoded(words, acme), at('mailbox'))), /"unreadable":true/);
    });

    it('finds the same whether or not the other key is there: a replay must', async () => {
      const sealed = await encoded(words, at('incident:globex:a1'));
      const first = await decoded(sealed, acme);
      keys.delete('globex');
      assert.deepEqual(await decoded(sealed, acme), first);
    });

    it('opens what was handed in for whichever workflow it would be', async () => {
      const handedIn = await sealForCustomers(sealing, defaultPayloadConverter.toPayload({ level: 3 }));
      assert.equal(keyIdOf(handedIn), '_service.1');
      for (const context of [acme, at('mailbox'), undefined]) {
        assert.deepEqual(await decoded(handedIn, context), { level: 3 });
      }
    });

    it('goes on over what was handed in with the key of another installation, and waits for its own', async () => {
      const handedIn = await sealForCustomers(sealing, defaultPayloadConverter.toPayload({ level: 3 }));
      const own = await encoded(words, acme);
      for (const scope of ['_service', 'acme']) {
        keys.set(scope, { id: `${scope}.1`, secret: createSecretKey(randomBytes(32)) });
      }
      assert.match(JSON.stringify(await decoded(handedIn, acme)), /"unreadable":true/);
      await assert.rejects(decoded(own, acme), SealBroken);
      keys.delete('_service');
      await assert.rejects(decoded(handedIn, acme), KeyMissing);
    });
  });

  it('fails also where no keys are set, and leaves in plain what is', async () => {
    const [keyless = assert.fail()] = dataConverterOf(undefined).payloadCodecs ?? [];
    const plain = defaultPayloadConverter.toPayload(words);
    assert.deepEqual(await keyless.decode(await keyless.encode([plain], at('mailbox')), at('mailbox')), [plain]);
    const sealed = await encoded(words, at('incident:acme:a1'));
    await assert.rejects(keyless.decode([plain, sealed], at('incident:acme:a1')), {
      name: 'KeyMissing',
      message: /acme\.1.*ENCRYPTION_KEYS_FILE/,
    });
  });

  it('opens a memo in a list for its own workflow only', async () => {
    const client = new Client({ dataConverter: { payloadCodecs: [codec] } });
    const row = async (from: string) => {
      const summary = await encoded(words, at(from));
      const execution = { workflowId: 'incident:acme:a1', runId: 'one' };
      return (await executionOf(client, { execution, memo: { fields: { summary } } })).memo['summary'];
    };
    assert.equal(await row('incident:acme:a1'), words);
    assert.doesNotMatch(JSON.stringify(await row('incident:globex:a1')), /invoice/);
  });

  describe('of failures', () => {
    const converter = { payloadConverter: defaultPayloadConverter, failureConverter, payloadCodecs: [codec] };
    const error = () =>
      ApplicationFailure.create({ message: words, type: 'Refused', details: [words], cause: new Error(words) });

    it('encrypts words, stack and details, and those of the cause', async () => {
      const failure = await encodeErrorToFailure(converter, error(), at('incident:acme:a1'));
      assert.equal(failure.message, 'Encoded failure');
      assert.equal(failure.stackTrace, '');
      assert.equal(failure.applicationFailureInfo?.type, 'Refused');
      for (const each of [failure, failure.cause]) {
        assert.ok(each?.encodedAttributes != null);
        assert.equal(keyIdOf(each.encodedAttributes), 'acme.1');
        assert.match(JSON.stringify(await decoded(each.encodedAttributes)), /invoice\.exe/);
      }
      const [detail] = failure.applicationFailureInfo.details?.payloads ?? [];
      assert.ok(detail);
      assert.equal(await decoded(detail), words);
      assert.doesNotMatch(Buffer.from(JSON.stringify(failure)).toString(), /invoice/);
    });

    it('says that the key is gone, and none of the words, where nobody may keep them any more', async () => {
      keys.delete('acme');
      const failure = await encodeErrorToFailure(converter, error(), at('incident:acme:a1'));
      for (const each of [failure, failure.cause]) {
        assert.ok(each?.encodedAttributes != null);
        assert.equal(keyIdOf(each.encodedAttributes), '_service.1');
        assert.deepEqual(await decoded(each.encodedAttributes), {
          message: 'what failed cannot be kept: no key for acme',
          stack_trace: '',
        });
      }
    });
  });
});
