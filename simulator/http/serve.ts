import { createServer, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { deflateSync } from 'node:zlib';
import { answerControl, isControlPath } from '../control/api.js';
import { answerDefender, isDefenderPath, tenantIdOfRequest } from '../defender/api.js';
import { Door } from '../door.js';
import { answerTokenRequest, isTokenPath, tenantIdOfTokenPath } from '../entra/token.js';
import { isReset, type Asked } from '../faults.js';
import type { RequestEntry, Target } from '../requests.js';
import { Timers } from '../timers.js';
import { answerTwilio, isTwilioPath, numberOfRequest } from '../twilio/api.js';
import type { World } from '../world.js';
import { faultReply, garbled } from './fault-reply.js';
import { empty, json, type Reply } from './reply.js';
import { BodyTooLargeError, readRequest, type HttpRequest } from './request.js';

export interface RunningHttp {
  port: number;
  stop: () => Promise<void>;
}

const targetOf = (path: string): Target | null => {
  if (isTokenPath(path)) return 'entra';
  if (isDefenderPath(path)) return 'defender';
  return isTwilioPath(path) ? 'twilio' : null;
};

const work = (request: HttpRequest, target: Target, world: World, entry: RequestEntry): Reply => {
  switch (target) {
    case 'entra': {
      const tenant = world.tenants.get(tenantIdOfTokenPath(request.path) ?? '');
      if (request.method !== 'POST') return empty(405, { allow: 'POST' });
      return answerTokenRequest(request, { tenant, credentials: world.credentials, tokenKey: world.tokenKey });
    }
    case 'defender':
      return answerDefender(request, world, entry);
    case 'twilio':
      return answerTwilio(request, world);
    case 'imap':
    case 'smtp':
      return empty(404);
  }
};

/** Whom a request is about, so that a fault can be one customer's alone. */
const askedOf = (request: HttpRequest, target: Target, world: World): Asked => ({
  path: request.path,
  method: request.method,
  tenantId: target === 'defender' ? tenantIdOfRequest(request, world) : undefined,
  number: target === 'twilio' ? numberOfRequest(request, world.telephone) : undefined,
});

const spaces = Buffer.alloc(1024 * 1024, ' ');

/** Writes piece by piece, as fast as the other side reads and for as long as it does. */
const pad = (response: ServerResponse, leftBytes: number): void => {
  if (response.destroyed) return;
  if (leftBytes <= 0) {
    response.end();
    return;
  }
  const piece = spaces.subarray(0, Math.min(leftBytes, spaces.length));
  response.write(piece, () => pad(response, leftBytes - piece.length));
};

export const startHttp = async (port: number, host: string, world: World): Promise<RunningHttp> => {
  const timers = new Timers();
  const sockets = new Set<Socket>();

  /** @returns null where the connection is to be cut in the place of an answer */
  const answerVendor = async (request: HttpRequest, target: Target): Promise<Reply | null> => {
    const entry = world.requests.begin(target, request.method, request.path);
    const tenantId = tenantIdOfTokenPath(request.path);
    if (target === 'entra' && tenantId !== undefined) entry.tenantId = tenantId;
    const fault = world.faults.take(target, askedOf(request, target, world));
    if (fault !== undefined && isReset(fault)) return null;
    const seen = { kind: 'request', target, method: request.method, path: request.path, body: request.body } as const;
    if ((await world.watch({ ...seen, phase: 'arrived' })) === 'cut' || request.isGone()) return null;
    const failure = fault === undefined ? null : faultReply(fault);
    const whole = failure ?? work(request, target, world, entry);
    const reply = fault?.garble === undefined ? whole : garbled(whole, fault.garble);
    if (fault?.delayMs !== undefined) await timers.sleep(fault.delayMs);
    if (fault?.dropAfterAccept === true) return null;
    if ((await world.watch({ ...seen, phase: 'done', tenantId: entry.tenantId })) === 'cut') return null;
    entry.status = reply.status;
    return reply;
  };

  const answer = async (request: HttpRequest): Promise<Reply | null> => {
    if (isControlPath(request.path)) return answerControl(request, world);
    const target = targetOf(request.path);
    return target === null ? empty(404) : answerVendor(request, target);
  };

  const send = (response: ServerResponse, reply: Reply, acceptEncoding: string): void => {
    // Defender compresses for everybody who can read it.
    const { padBytes = 0, afterwards } = reply;
    const isCompressed =
      padBytes === 0 && reply.headers['odata-version'] !== undefined && /\bdeflate\b/.test(acceptEncoding);
    // A little less small for a lot less time: a page of alerts is megabytes.
    const body = isCompressed ? deflateSync(reply.body, { level: 1 }) : Buffer.from(reply.body);
    response.writeHead(reply.status, {
      ...reply.headers,
      ...(isCompressed ? { 'content-encoding': 'deflate', vary: 'Accept-Encoding' } : {}),
      'content-length': body.length + padBytes,
    });
    if (padBytes === 0) response.end(body, afterwards);
    else response.write(body, () => pad(response, padBytes));
  };

  const server = createServer((message, response) => {
    readRequest(message)
      .then(answer)
      .catch((error: unknown) =>
        json(error instanceof BodyTooLargeError ? 413 : 500, { errors: [{ path: '', message: String(error) }] }),
      )
      .then((reply) => {
        if (reply === null) message.socket.resetAndDestroy();
        else send(response, reply, message.headers['accept-encoding']?.toString() ?? '');
      })
      // Only the connection itself can have failed here.
      .catch(() => message.socket.destroy());
  });

  // Longer than clients keep theirs, so that none finds it closed in the moment in which it writes.
  server.keepAliveTimeout = 60_000;

  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The HTTP server does not listen on a port.');

  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  world.doors.http = new Door(server, { port: address.port, host }, cutAll);
  const door = world.doors.http;

  return {
    port: address.port,
    stop: async () => {
      timers.dropAll();
      await door.shutForGood();
    },
  };
};
