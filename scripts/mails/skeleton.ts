import { readFile } from 'node:fs/promises';
import core from 'mjml-core';
import preset from 'mjml-preset-core';
import { format, resolveConfig } from 'prettier';

const SOURCE = new URL('../../src/integrations/mail/html/skeleton.mjml', import.meta.url);

/** Where the compiled skeleton lies. */
export const COMPILED = new URL('../../src/integrations/mail/html/skeleton.ts', import.meta.url);

/** The module that holds what MJML makes of the skeleton of mails. @throws where MJML finds fault with it */
export async function compileSkeleton(): Promise<string> {
  const compile = typeof core === 'function' ? core : core.default;
  const { html, errors } = await compile(await readFile(SOURCE, 'utf8'), { presets: [preset] });
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join('\n'));
  // Indentation would be a third of every mail.
  const lines = html.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  const source = [
    '// Made from skeleton.mjml by `npm run mails`: change that, not this.',
    `export const skeleton = ${JSON.stringify(lines)}.join('\\n');`,
    '',
  ].join('\n');
  return format(source, { ...(await resolveConfig(COMPILED)), parser: 'typescript' });
}
