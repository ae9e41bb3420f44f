import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { z } from 'zod';
import { figureSchema, isMet, type Figure } from './figures.js';
import { backends, type Backend } from './place.js';

/** What is measured by itself, on one backend. */
const aloneSchema = z.object({
  backend: z.enum(backends),
  measuredAt: z.string(),
  server: z.string(),
  figures: z.array(figureSchema),
});

/** What one run has measured, as it is kept in results.json. */
const resultsSchema = z.object({
  machine: z.object({ cpu: z.string(), cores: z.number(), memoryGb: z.number(), node: z.string() }),
  backends: z.array(
    z.object({
      backend: z.enum(backends),
      measuredAt: z.string(),
      server: z.string(),
      workers: z.number(),
      seconds: z.number(),
      figures: z.array(figureSchema),
    }),
  ),
  /** Many customers' feeds. */
  feeds: aloneSchema.optional(),
  /** Thousands of mails that wait in the mailbox. */
  mailbox: aloneSchema.optional(),
});
export type Results = z.infer<typeof resultsSchema>;

const resultsFile = fileURLToPath(new URL('./results.json', import.meta.url));
const documentFile = fileURLToPath(new URL('../docs/performance.md', import.meta.url));
const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

const names: Record<Backend, string> = {
  memory: 'dev server in memory',
  file: 'dev server on a SQLite file',
  external: 'server on PostgreSQL',
};

export function machine(): Results['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1e9),
    node: process.version,
  };
}

function shown({ value, unit }: Figure): string {
  return unit === '× bare' ? `${value.toFixed(value < 0.2 ? 3 : 2)} ×` : `${value} ${unit}`;
}

function targetOf({ target, unit }: Figure): string {
  if (target === undefined) return '–';
  const suffix = unit === '× bare' ? ' ×' : ` ${unit}`;
  return 'least' in target ? `≥ ${target.least}${suffix}` : `≤ ${target.most}${suffix}`;
}

function verdictOn(figure: Figure): string {
  const met = isMet(figure);
  return met === undefined ? '' : met ? ' ✓' : ' **✗**';
}

export function table({ backends: measured }: Pick<Results, 'backends'>): string {
  const head = ['figure', 'to reach', ...measured.map(({ backend }) => names[backend])];
  const all = new Map(measured.flatMap(({ figures }) => figures.map((figure) => [figure.id, figure])));
  const rows = [...all.values()].map((figure) => [
    figure.what,
    targetOf(figure),
    ...measured.map(({ figures }) => {
      const own = figures.find(({ id }) => id === figure.id);
      return own === undefined ? '–' : `${shown(own)}${verdictOn(own)}`;
    }),
  ]);
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function detailLines(figures: readonly Figure[]): string[] {
  return figures
    .filter(({ detail }) => Object.keys(detail).length > 0)
    .map(
      ({ what, detail }) =>
        `- ${what}: ${Object.entries(detail)
          .map(([name, value]) => `${name} ${value}`)
          .join(', ')}`,
    );
}

function minuteOf(measuredAt: string): string {
  return `${measuredAt.slice(0, 16).replace('T', ' ')} UTC`;
}

function details({ backends: measured }: Results): string {
  return measured
    .map(({ backend, measuredAt, server, workers, seconds, figures }) =>
      [
        `### ${names[backend]} (${server}, workers: ${workers}; ${minuteOf(measuredAt)}, ${Math.round(seconds)} s)`,
        '',
        ...detailLines(figures),
      ].join('\n'),
    )
    .join('\n\n');
}

function aloneSection(title: string, measured: z.infer<typeof aloneSchema> | undefined): string[] {
  if (measured === undefined) return [];
  const { backend, measuredAt, server, figures } = measured;
  return [
    `### ${title} (${names[backend]}, ${server}, workers: 1; ${minuteOf(measuredAt)})`,
    '',
    '| figure | to reach | measured |',
    '| --- | --- | --- |',
    ...figures.map((figure) => `| ${figure.what} | ${targetOf(figure)} | ${shown(figure)}${verdictOn(figure)} |`),
    '',
    ...detailLines(figures),
    '',
  ];
}

/** Writes results.json, and the measured part of docs/performance.md; the rest of that page is by hand. */
export async function report(results: Results): Promise<void> {
  const merged = merge(results);
  writeFileSync(resultsFile, `${JSON.stringify(merged, null, 2)}\n`);
  const page = readFileSync(documentFile, 'utf8');
  const { cpu, cores, memoryGb, node } = merged.machine;
  const measured = [
    BEGIN,
    '',
    `Measured on ${cores} cores (${cpu}, ${memoryGb} GB), Node ${node}; everything on the one machine.`,
    '',
    table(merged),
    '',
    details(merged),
    '',
    ...aloneSection('Many customers', merged.feeds),
    ...aloneSection('Many mails', merged.mailbox),
    END,
  ].join('\n');
  const text = page.slice(0, page.indexOf(BEGIN)) + measured + page.slice(page.indexOf(END) + END.length);
  writeFileSync(documentFile, await format(text, { parser: 'markdown', printWidth: 120 }));
}

/** A run on one backend, or of one thing alone, leaves what was measured otherwise. */
function merge(results: Results): Results {
  const earlier = readEarlier();
  const feeds = results.feeds ?? earlier?.feeds;
  const mailbox = results.mailbox ?? earlier?.mailbox;
  const kept =
    earlier?.backends.filter(({ backend }) => results.backends.every((own) => own.backend !== backend)) ?? [];
  const order: Backend[] = ['memory', 'file', 'external'];
  return {
    ...results,
    backends: [...results.backends, ...kept].sort((a, b) => order.indexOf(a.backend) - order.indexOf(b.backend)),
    ...(feeds === undefined ? {} : { feeds }),
    ...(mailbox === undefined ? {} : { mailbox }),
  };
}

function readEarlier(): Results | undefined {
  try {
    return resultsSchema.parse(JSON.parse(readFileSync(resultsFile, 'utf8')));
  } catch {
    // None yet, or one of another shape: it is written anew.
    return undefined;
  }
}
