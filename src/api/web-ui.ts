import express, { type RequestHandler, type Response } from 'express';
import { Problem } from './problem.js';
import type { OperatorSignIn } from './sign-in.js';

/*
 * Temporal's Web UI asks the codec server from within the browser, where there is no token to send: whoever has signed in on
 * the page here is known there by a cookie, until the browser is closed.
 */

const COOKIE = 'mimamori-operator';

/** The token of the cookie, as a header would have it. */
export function authorizationIn(cookies: string | undefined): string | undefined {
  const token = new RegExp(`(?:^|; ?)${COOKIE}=([^;]+)`).exec(cookies ?? '')?.[1];
  try {
    return token === undefined ? undefined : `Bearer ${decodeURIComponent(token)}`;
  } catch {
    return undefined;
  }
}

/** The Web UI is on another origin, and the only one that may ask with the caller's cookie. */
export function crossOrigin(webUiOrigin: string | undefined): RequestHandler {
  return (request, response, next) => {
    response.vary('Origin');
    if (webUiOrigin !== undefined && request.headers.origin === webUiOrigin) {
      response.set({
        'Access-Control-Allow-Origin': webUiOrigin,
        'Access-Control-Allow-Credentials': 'true',
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'Authorization, Authorization-Extras, Content-Type, X-Namespace',
        'Access-Control-Max-Age': '600',
      });
    }
    if (request.method !== 'OPTIONS') next();
    else response.status(204).end();
  };
}

function page(response: Response, status: number, said: string): void {
  response.status(status).type('html').send(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Mimamori: sign in</title></head>
<body>
<h1>Mimamori</h1>
<p>${said}</p>
<form method="post" action="/sign-in">
<p><label>Operator token<br><input type="password" name="token" autocomplete="off" required size="48"></label></p>
<p><button>Sign in</button></p>
</form>
</body>
</html>
`);
}

const SAID =
  'Whoever signs in here sees in Temporal’s Web UI what their role and customers allow, until this browser is closed.';

/** The page that gives the cookie, and takes it when somebody else signs in. `publicUrl`: as browsers reach it. */
export function signInPage(signIn: OperatorSignIn, countFailure: RequestHandler, publicUrl: string): express.Router {
  const router = express.Router();
  router.use('/sign-in', (_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  router.get('/sign-in', (_request, response) => page(response, 200, SAID));
  const form = express.urlencoded({ extended: false, limit: '16kb' });
  router.post('/sign-in', form, async (request, response) => {
    const body: unknown = request.body;
    const given = typeof body === 'object' && body !== null && 'token' in body ? body.token : undefined;
    const token = typeof given === 'string' ? given.trim() : '';
    try {
      const { id } = await signIn(`Bearer ${token}`);
      // A proxy need not say by what it was asked.
      const secure = request.secure || publicUrl.startsWith('https:');
      response.cookie(COOKIE, token, { httpOnly: true, sameSite: 'strict', secure });
      // Ids of operators have no character that HTML knows.
      page(
        response,
        200,
        `You are signed in as ${id}. Temporal’s Web UI shows you what you may see, once it is loaded again.`,
      );
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      response.clearCookie(COOKIE);
      await countFailure(request, response, () => page(response, 401, 'This token is not known. Try again.'));
    }
  });
  return router;
}
