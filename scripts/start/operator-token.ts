import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { loadOperators } from '../../src/config.js';

export interface OperatorAccess {
  operatorsFile: string;
  /** Where the token is from, for people. */
  line: string;
  /** Of an analyst; undefined where the operators are the caller's own. */
  token: string | undefined;
  /** Made in this run. */
  isNew: boolean;
}

const TOKEN_BYTES = 32;

/**
 * Sees to it that somebody can call the API: with OPERATORS_FILE, with OPERATOR_TOKEN, or with a token made here. The
 * token itself stays beside `ownFile`, readable by its owner only, for the demo; so does that of a second operator, who
 * approves what the first has proposed.
 */
export function operatorAccess(env: NodeJS.ProcessEnv, ownFile: string): OperatorAccess {
  const tokenFile = join(dirname(ownFile), 'operator-token');
  const chosenFile = env['OPERATORS_FILE'] ?? '';
  if (chosenFile !== '') {
    loadOperators(chosenFile);
    return {
      operatorsFile: chosenFile,
      line: `yours, of an operator in ${chosenFile}`,
      token: undefined,
      isNew: false,
    };
  }

  const chosenToken = env['OPERATOR_TOKEN'] ?? '';
  if (chosenToken !== '') {
    writeOperators(ownFile, chosenToken);
    return { operatorsFile: ownFile, line: 'the one in OPERATOR_TOKEN', token: chosenToken, isNew: false };
  }
  if (existsSync(ownFile) && existsSync(tokenFile)) {
    return {
      operatorsFile: ownFile,
      line: `as before, in ${tokenFile}`,
      token: readFileSync(tokenFile, 'utf8').trim(),
      isNew: false,
    };
  }
  const token = makeToken();
  writeOperators(ownFile, token);
  return { operatorsFile: ownFile, line: 'made now and shown this once', token, isNew: true };
}

/** What signs the conversations with customers: made once, so that answers to mails of before a restart are known. */
export function mailTokenSecret(env: NodeJS.ProcessEnv, file: string): string {
  const chosen = env['MAIL_TOKEN_SECRET'] ?? '';
  if (chosen !== '') return chosen;
  if (!existsSync(file)) writeSecret(file, `${makeToken()}\n`);
  return readFileSync(file, 'utf8').trim();
}

function makeToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

function writeOperators(file: string, analystToken: string): void {
  const leadToken = makeToken();
  const operator = (id: string, name: string, token: string) => ({
    id,
    name,
    role: id,
    customers: '*',
    tokenSha256: createHash('sha256').update(token).digest('hex'),
  });
  const operators = [operator('analyst', 'Analyst', analystToken), operator('lead', 'Lead', leadToken)];
  writeSecret(file, `# Made by npm start. Delete it for new tokens.\n${stringify({ operators })}`);
  writeSecret(join(dirname(file), 'operator-token'), `${analystToken}\n`);
  writeSecret(join(dirname(file), 'lead-token'), `${leadToken}\n`);
}

function writeSecret(file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600 });
  // The mode counts only for a file that is new.
  chmodSync(file, 0o600);
}
