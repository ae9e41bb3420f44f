import assert from 'node:assert/strict';
import { heldIdOf } from '../../src/domain/held-mail/record.js';
import { STRANGERS_ID, type StrangersNews } from '../../src/domain/held-mail/strangers.js';
import { toText } from '../../src/domain/templates/to-text.js';
import { HOUR_MS, MINUTE_MS, toInstant } from '../../src/domain/time.js';
import { strangersMailSignal, strangersQuery } from '../../src/workflows/messages.js';
import { until } from '../../simulator/testing.js';
import { JumpingWorld } from './stub-outside.js';

describe('an hour of strangers’ mails', function () {
  this.timeout(60_000);
  let world: JumpingWorld;
  before(async () => {
    world = await JumpingWorld.open();
  });
  after(() => world.close());

  async function mailOf(number: number, socMailTo = 'soc@mimamori.example'): Promise<StrangersNews> {
    const receivedAt = toInstant(await world.nowMs());
    const heldId = heldIdOf(String(number).padStart(32, '0'));
    const mail = {
      heldId,
      reason: 'unknown-sender' as const,
      from: `eve-${number}@evil.example`,
      subject: '',
      receivedAt,
    };
    return { mail, socMailTo, mailDomain: 'mimamori.example' };
  }
  const handle = () => world.environment.client.workflow.getHandle(STRANGERS_ID);
  const come = async (...numbers: number[]): Promise<void> => {
    for (const number of numbers) await world.strangersMail(await mailOf(number));
  };
  const untold = (count: number) =>
    until(`${count} are not told`, async () => {
      const shown = await handle().query(strangersQuery);
      return shown.untold === count && shown.toldAt !== null ? true : undefined;
    });
  const ended = () =>
    until('it has ended', async () => ((await handle().describe()).status.name === 'COMPLETED' ? true : undefined));
  const sent = () => world.mails.map(({ mail }) => ({ ...mail, text: toText(mail.letters) }));

  it('the first is told at once, those within the hour by one mail, and nothing when none has come', async () => {
    await come(1);
    await untold(0);
    assert.match(sent()[0]?.text ?? '', /eve-1@evil\.example/);
    await come(2, 3, 3);
    await handle().signal(strangersMailSignal.name, { nothing: 'known' });
    await come(4);
    await untold(3);
    await world.sleep(59 * MINUTE_MS);
    assert.equal(sent().length, 1, 'not within the hour');
    await world.sleep(2 * MINUTE_MS);
    await untold(0);
    const [, gathered] = sent();
    assert.match(gathered?.text ?? '', /How many: 3[\s\S]*GET \/v1\/mailbox\/attention/);
    assert.deepEqual(gathered?.to, ['soc@mimamori.example']);
    assert.doesNotMatch(gathered.text, /evil/, 'nobody writes a mail to the SOC by writing to us');
    await world.sleep(HOUR_MS + MINUTE_MS);
    await ended();
    assert.equal(sent().length, 2);
  });

  it('after a quiet hour the next is told at once, and a single one by itself', async () => {
    const before = sent().length;
    await come(11);
    await untold(0);
    await come(12);
    await untold(1);
    await world.sleep(HOUR_MS + MINUTE_MS);
    await untold(0);
    const texts = sent().slice(before);
    assert.deepEqual(
      texts.map(({ text }) => /eve-\d+/.exec(text)?.[0]),
      ['eve-11', 'eve-12'],
    );
    assert.equal(new Set(sent().map(({ messageId }) => messageId)).size, before + 2);
  });
});
