import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import Provider from 'oidc-provider';

/*
 * A real OpenID Connect provider on this machine. Who asks it for a token is a program, and what the token says of it is
 * what the test wants it to say.
 */

export const AUDIENCE = 'api://mimamori-test';

export interface Key {
  kid: string;
  privateKey: KeyObject;
}

export function makeKey(): Key {
  return { kid: randomUUID(), privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey };
}

export class TokenProvider {
  private constructor(
    private readonly server: Server,
    readonly issuer: string,
    private serve: ReturnType<Provider['callback']>,
  ) {}

  /** @param claims what its access tokens say beside the standard ones */
  static async start(key: Key, claims: () => Record<string, unknown>): Promise<TokenProvider> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address !== 'string');
    const issuer = `http://127.0.0.1:${address.port}`;
    const provider = new TokenProvider(server, issuer, providerOf(issuer, key, claims).callback());
    server.on('request', (request, response) => void provider.serve(request, response));
    return provider;
  }

  /** Goes on with another key, as providers do from time to time: the old one is no longer published. */
  rotate(key: Key, claims: () => Record<string, unknown>): void {
    this.serve = providerOf(this.issuer, key, claims).callback();
  }

  async token(audience = AUDIENCE): Promise<string> {
    const response = await fetch(`${this.issuer}/token`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from('program:secret-of-the-program').toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'act', resource: audience }),
    });
    const answer: unknown = await response.json();
    assert.ok(typeof answer === 'object' && answer !== null && 'access_token' in answer, JSON.stringify(answer));
    return String(answer.access_token);
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

function providerOf(issuer: string, { kid, privateKey }: Key, claims: () => Record<string, unknown>): Provider {
  return new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }] },
    clients: [
      {
        client_id: 'program',
        client_secret: 'secret-of-the-program',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'act',
          audience: resource,
          accessTokenTTL: 600,
          accessTokenFormat: 'jwt',
        }),
      },
    },
    extraTokenClaims: () => claims(),
  });
}
