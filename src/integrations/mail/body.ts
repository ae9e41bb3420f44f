import { z } from 'zod';
import { letterSchema, type Letter } from '../../domain/templates/document.js';
import { toText } from '../../domain/templates/to-text.js';
import { toHtml } from './html/to-html.js';

/** The two parts of a mail. */
export interface Body {
  text: string;
  html: string;
}

export function bodyOf(letters: readonly Letter[]): Body {
  return { text: toText(letters), html: toHtml(letters) };
}

/** What an older worker has scheduled holds its parts, as they were made in the workflow then. */
const bodySchema = z.union([
  z.object({ letters: z.array(letterSchema).min(1) }).transform(({ letters }) => bodyOf(letters)),
  z.object({ text: z.string(), html: z.string() }),
]);

/** The parts of a mail as a workflow hands it over. @throws {z.ZodError} for what is neither */
export function readBody(mail: unknown): Body {
  return bodySchema.parse(mail);
}
