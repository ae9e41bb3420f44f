import assert from 'node:assert/strict';
import { mailSignature } from '../../src/api/mail-webhook.js';
import { WEBHOOK_SECRET } from '../support/house.js';
import { ownNamespace } from '../support/temporal.js';
import { startWorkerOf } from './exclusion-worker.js';
import { HaltsSeen, type Halt } from './halts.js';
import { startApiOf } from './intake-api.js';
import { IntakeCast } from './intake-cast.js';
import { IntakeHouse, type Row, type Scene } from './intake-house.js';

/*
 * Kills (kill -9) while mails come in. One kill meets several mails, each at another step of its way.
 */

function inHouseWithoutWorker(scene: Scene): Row {
  return { open: async (server) => IntakeHouse.open(await ownNamespace(server), { worker: false }), scenes: [scene] };
}

function killedAtCommand(command: string, when: string): Row {
  return inHouseWithoutWorker({
    name: `the worker is killed (kill -9) ${when}`,
    async play(rooms) {
      const worker = await startWorkerOf(rooms.house, { mailbox: true });
      try {
        const escalated = await rooms.escalated();
        const held = rooms.moments.hold(command, 'arrived');
        const written = await rooms.answer(escalated);
        const goOn = await held;
        worker.kill();
        await worker.ended;
        goOn();
        await rooms.house.startWorker();
        await rooms.assertOnce(written);
      } finally {
        worker.kill();
      }
    },
  });
}

/** Every one of the mails stands still at a step of its way, at the same time. */
function killedAtSteps(phase: Halt['phase'], when: string): Row {
  return inHouseWithoutWorker({
    name: `the worker is killed (kill -9) ${when}`,
    async play(rooms) {
      const { house, moments } = rooms;
      const seen = new HaltsSeen();
      const halts: Halt[] = [
        { phase, of: 'tellOfInquiry', about: 'Please tell us more.' },
        { phase, of: 'tellOfStranger' },
        { phase, of: 'heldMail', about: 'the one that stands still' },
        { phase, of: 'mailBounced' },
        { phase, of: 'inquiryNews', about: 'I am away.' },
      ];
      const worker = await startWorkerOf(house, { mailbox: true, halts, seen });
      try {
        const cast = await IntakeCast.of(rooms);
        const notice = moments.hold('DATA', phase === 'before' ? 'arrived' : 'done', 'held-mail');
        const listing = moments.hold('FETCH', 'arrived');
        const [first, ...others] = cast.all;
        await house.control('POST', '/sim/mails', { raw: first?.raw });
        const goOn = await listing;
        for (const { raw } of others) await house.control('POST', '/sim/mails', { raw });
        goOn();
        const [goOnSending] = await Promise.all([notice, seen.all(halts)]);
        worker.kill();
        await worker.ended;
        goOnSending();
        await house.startWorker();
        await rooms.emptied();
        await cast.assertOnce(rooms);
        await cast.assertLie(rooms);
      } finally {
        worker.kill();
      }
    },
  });
}

function hand(url: string, raw: string): Promise<Response> {
  const at = String(Math.floor(Date.now() / 1_000));
  const signature = mailSignature(WEBHOOK_SECRET, at, Buffer.from(raw));
  return fetch(`${url}/webhooks/mail`, {
    method: 'POST',
    headers: { 'Content-Type': 'message/rfc822', 'X-Mimamori-Timestamp': at, 'X-Mimamori-Signature': signature },
    body: raw,
  });
}

/** Whoever hands the mails in hears nothing, and does so again. */
function apiKilled(phase: Halt['phase'], when: string): Row {
  return {
    open: async (server) => IntakeHouse.open(await ownNamespace(server)),
    scenes: [
      {
        name: `the API is killed (kill -9) ${when}`,
        async play(rooms) {
          const seen = new HaltsSeen();
          const halts: Halt[] = [
            { phase, of: 'customerMail' },
            { phase, of: 'heldMail', about: 'the one that stands still' },
            { phase, of: 'heldMail', about: 'mallory@evil.example' },
            { phase, of: 'mailBounced' },
            { phase, of: 'inquiryNews' },
          ];
          const cast = await IntakeCast.of(rooms);
          const { api, url } = await startApiOf(rooms.house, halts, seen);
          try {
            const handed = cast.handed.map(({ raw }) => hand(url, raw));
            const ends = Promise.allSettled(handed);
            await seen.all(halts);
            api.kill();
            await api.ended;
            assert.deepEqual(
              (await ends).map(({ status }) => status),
              handed.map(() => 'rejected'),
              'nobody was answered',
            );
            for (const { raw } of cast.all) assert.equal((await rooms.house.handIn(raw)).status, 200);
            await cast.assertOnce(rooms);
          } finally {
            api.kill();
          }
        },
      },
    ],
  };
}

/** Before a step, and after it. */
export const killRows: Record<Halt['phase'], Row[]> = {
  before: [
    killedAtCommand('UID FETCH', 'while it reads a mail'),
    killedAtSteps('before', 'before the next step of a question, an absence, a bounce, held mails and their notices'),
    apiKilled('before', 'between taking a mail and handing it on'),
  ],
  after: [
    killedAtCommand('UID MOVE', 'between handing a mail on and moving it'),
    killedAtSteps('after', 'after that step, before anybody knows'),
    apiKilled('after', 'between handing a mail on and its answer'),
  ],
};
