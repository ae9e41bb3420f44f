import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { loadOperators } from '../../src/config.js';

export interface OperatorAccess {
  operatorsFile: string;
  /** Where the token is from, for people. */
  line: string;
  /** Known only in the run that made it. */
  newToken?: string;
}

const TOKEN_BYTES = 32;

/**
 * Sees to it that somebody can call the API: with OPERATORS_FILE, with OPERATOR_TOKEN, or with a token made here. The
 * token itself stays beside `ownFile`, readable by its owner only, for the demo.
 */
export function operatorAccess(env: NodeJS.ProcessEnv, ownFile: string): OperatorAccess {
  const tokenFile = join(dirname(ownFile), 'operator-token');
  const chosenFile = env['OPERATORS_FILE'] ?? '';
  if (chosenFile !== '') {
    loadOperators(chosenFile);
    return { operatorsFile: chosenFile, line: `yours, of an operator in ${chosenFile}` };
  }

  const chosenToken = env['OPERATOR_TOKEN'] ?? '';
  if (chosenToken !== '') {
    writeOperators(ownFile, chosenToken);
    writeSecret(tokenFile, `${chosenToken}\n`);
    return { operatorsFile: ownFile, line: 'the one in OPERATOR_TOKEN' };
  }
  if (existsSync(ownFile) && existsSync(tokenFile)) {
    return {
      operatorsFile: ownFile,
      line: `as before, in ${tokenFile}`,
    };
  }
  const newToken = randomBytes(TOKEN_BYTES).toString('base64url');
  writeOperators(ownFile, newToken);
  writeSecret(tokenFile, `${newToken}\n`);
  return { operatorsFile: ownFile, line: 'made now and shown this once', newToken };
}

function writeOperators(file: string, token: string): void {
  const tokenSha256 = createHash('sha256').update(token).digest('hex');
  const operators = [{ id: 'analyst', name: 'Analyst', role: 'analyst', customers: '*', tokenSha256 }];
  writeSecret(file, `# Made by npm start. Delete it for a new token.\n${stringify({ operators })}`);
}

function writeSecret(file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600 });
  // The mode counts only for a file that is new.
  chmodSync(file, 0o600);
}
