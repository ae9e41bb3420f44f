import { z } from 'zod';
import type { Language } from '../text.js';

export interface Row {
  label: string;
  value: string;
}

export type Block =
  | { type: 'prose'; text: string }
  | { type: 'rows'; rows: readonly Row[] }
  | { type: 'list'; items: readonly string[] }
  /** Somebody else's words. */
  | { type: 'quote'; text: string };

export interface Section {
  heading?: string;
  /** Set apart from the rest: what the reader has to answer or decide. */
  callout?: boolean;
  blocks: readonly Block[];
}

/** A mail's body in one language. Both parts are made from it, so they cannot tell different things. */
export interface Letter {
  language: Language;
  title: string;
  /** To whom it is written, and by whom. */
  greeting?: string;
  /** What has been found, how things stand, and what is asked of the reader: all that a busy one has to read. */
  summary?: readonly string[];
  sections: readonly Section[];
}

const rowSchema = z.object({ label: z.string(), value: z.string() });
const blockSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('prose'), text: z.string() }),
  z.object({ type: z.literal('rows'), rows: z.array(rowSchema) }),
  z.object({ type: z.literal('list'), items: z.array(z.string()) }),
  z.object({ type: z.literal('quote'), text: z.string() }),
]);

/** A part of a letter, on its way from the incident that it is about to the lead that sends it. */
export const sectionSchema: z.ZodType<Section> = z.object({
  heading: z.string().optional(),
  callout: z.boolean().optional(),
  blocks: z.array(blockSchema),
});

/** A letter on its way from a workflow to whoever sends it. */
export const letterSchema: z.ZodType<Letter> = z.object({
  language: z.enum(['ja', 'en']),
  title: z.string(),
  greeting: z.string().optional(),
  summary: z.array(z.string()).optional(),
  sections: z.array(sectionSchema),
});

export function paragraph(text: string): Block {
  return { type: 'prose', text };
}

/** A section of one text, or none where there is no text. */
export function textSection(heading: string, text: string | null | undefined): Section[] {
  return text === null || text === undefined || text === '' ? [] : [{ heading, blocks: [paragraph(text)] }];
}
