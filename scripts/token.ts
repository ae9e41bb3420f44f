import { createHash, randomBytes } from 'node:crypto';

/*
 * npm run token: a token for one operator, and what the operators file holds of it. It is shown once and kept nowhere.
 */

const TOKEN_BYTES = 32;

const token = randomBytes(TOKEN_BYTES).toString('base64url');
const tokenSha256 = createHash('sha256').update(token).digest('hex');
process.stdout.write(
  [
    `For the operator alone:  ${token}`,
    `For the operators file:  tokenSha256: ${tokenSha256}`,
    'Whoever has lost a token gets a new one: nothing leads from the file back to it.',
    '',
  ].join('\n'),
);
