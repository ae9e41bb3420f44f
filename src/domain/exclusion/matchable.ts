import { z } from 'zod';
import type { DefenderAlert, Evidence } from '../defender.js';
import { plainFolder } from './pattern.js';

/**
 * What exclusions are matched with: of an alert the texts that conditions can speak of, piece of evidence by piece of
 * evidence, bounded whatever Defender sends, so that it can be kept with the incident and asked again later.
 */

const MAX_PIECES = 100;
/** Of all pieces together, as JSON. */
const MAX_EVIDENCE_CHARACTERS = 30_000;
const LIMITS = {
  title: 300,
  name: 255,
  folderPath: 500,
  hash: 128,
  commandLine: 1_000,
  url: 1_000,
  ip: 64,
  account: 255,
} as const;

const cutFields = ['title', 'fileName', 'folderPath', 'commandLine', 'url', 'account'] as const;
const cutFieldSchema = z.enum(cutFields);
type CutField = (typeof cutFields)[number];

const pieceSchema = z.object({
  fileName: z.string().optional(),
  folderPath: z.string().optional(),
  sha1: z.string().optional(),
  sha256: z.string().optional(),
  certificateThumbprint: z.string().optional(),
  commandLine: z.string().optional(),
  url: z.string().optional(),
  /** The host in the URL. */
  domain: z.string().optional(),
  ip: z.string().optional(),
  /** `DOMAIN\name`, the name alone, the user principal name: those of them that are known. */
  account: z.array(z.string()).optional(),
  /** Fields of which only the beginning is kept. */
  cut: z.array(cutFieldSchema).optional(),
});
export type Piece = z.infer<typeof pieceSchema>;

export const matchableSchema = z.object({
  title: z.string().optional(),
  detectorId: z.string().optional(),
  category: z.string().optional(),
  /** The threat and its family. */
  threatName: z.array(z.string()),
  /** The device's id, its full name, and the name up to the first dot. */
  device: z.array(z.string()),
  evidence: z.array(pieceSchema),
  /** How many different pieces the alert held; more than `evidence` has where some were cut. */
  evidenceTotal: z.int(),
  cut: z.array(cutFieldSchema).optional(),
});
export type Matchable = z.infer<typeof matchableSchema>;

/** Were there more pieces of evidence than were kept? */
export function isEvidenceCut({ evidence, evidenceTotal }: Matchable): boolean {
  return evidenceTotal > evidence.length;
}

function unique(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts.flatMap((text) => (text === undefined || text === '' ? [] : [text])))];
}

/** Takes texts in, and remembers which of them were too long. */
class Cutter {
  readonly cut: CutField[] = [];

  /** The beginning of a text; that something is missing is noted. */
  begin(field: CutField, text: string | undefined, limit: number): string | undefined {
    const whole = text?.trim();
    if (whole === undefined || whole === '') return undefined;
    if (whole.length <= limit) return whole;
    if (!this.cut.includes(field)) this.cut.push(field);
    return whole.slice(0, limit);
  }
}

/** An id or hash; one that is longer than any can be is none. */
function short(text: string | undefined, limit: number): string | undefined {
  const whole = text?.trim();
  return whole === undefined || whole === '' || whole.length > limit ? undefined : whole;
}

function withoutEnding(text: string, ending: string): string {
  return text.toLowerCase().endsWith(ending.toLowerCase()) ? text.slice(0, text.length - ending.length) : text;
}

/** Defender sends the folder, in some alerts with the file's name behind it. */
function folderOf({ filePath, fileName }: Evidence): string | undefined {
  if (filePath === undefined) return undefined;
  const folder = plainFolder(filePath.trim());
  return fileName === undefined ? folder : withoutEnding(folder, `\\${fileName.trim()}`);
}

/** The host in a URL with or without its scheme; undefined where there is none. */
export function hostOf(url: string): string | undefined {
  // A scheme stands at the beginning: `evil.example/?to=https://known.example` has none.
  const rest = url.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '');
  const end = rest.search(/[/?#\\]/);
  const authority = end === -1 ? rest : rest.slice(0, end);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const port = host.startsWith('[') ? host.indexOf(']:') + 1 : host.lastIndexOf(':');
  return short(port > 0 ? host.slice(0, port) : host, LIMITS.name);
}

function accountsOf({ domainName, accountName, userPrincipalName }: Evidence): string[] {
  const full = domainName !== undefined && accountName !== undefined ? `${domainName}\\${accountName}` : undefined;
  return unique([full, accountName, userPrincipalName]);
}

function pieceOf(item: Evidence): Piece | undefined {
  const cutter = new Cutter();
  const url = item.url?.trim();
  const accounts = accountsOf(item).flatMap((account) => cutter.begin('account', account, LIMITS.account) ?? []);
  const piece: Piece = {
    fileName: cutter.begin('fileName', item.fileName, LIMITS.name),
    folderPath: cutter.begin('folderPath', folderOf(item), LIMITS.folderPath),
    sha1: short(item.sha1, LIMITS.hash),
    sha256: short(item.sha256, LIMITS.hash),
    certificateThumbprint: short(item.certificateThumbprint, LIMITS.hash),
    commandLine: cutter.begin('commandLine', item.processCommandLine, LIMITS.commandLine),
    url: cutter.begin('url', url, LIMITS.url),
    domain: url === undefined ? undefined : hostOf(url),
    ip: short(item.ipAddress, LIMITS.ip),
    account: accounts.length === 0 ? undefined : accounts,
  };
  if (Object.values<unknown>(piece).every((value) => value === undefined)) return undefined;
  return cutter.cut.length === 0 ? piece : { ...piece, cut: cutter.cut };
}

function devicesOf({ machineId, computerDnsName }: DefenderAlert): string[] {
  const name = short(computerDnsName, LIMITS.name);
  return unique([machineId ?? undefined, name, name?.split('.')[0]]);
}

/**
 * The matchable view of an alert. Evidence that is repeated word for word counts once; evidence of which no condition
 * can speak (registry keys, for one) not at all. The first 100 pieces are kept, and of those as many as fit; of a long
 * text its beginning. Both are noted, and the matching takes account of them.
 */
export function matchableOf(alert: DefenderAlert): Matchable {
  const cutter = new Cutter();
  const seen = new Set<string>();
  const kept: Piece[] = [];
  let room = MAX_EVIDENCE_CHARACTERS;
  let isFull = false;
  for (const item of alert.evidence ?? []) {
    const piece = item === null ? undefined : pieceOf(item);
    if (piece === undefined) continue;
    const written = JSON.stringify(piece);
    if (seen.has(written)) continue;
    seen.add(written);
    isFull ||= kept.length >= MAX_PIECES || written.length > room;
    if (isFull) continue;
    kept.push(piece);
    room -= written.length;
  }
  return {
    title: cutter.begin('title', alert.title, LIMITS.title),
    detectorId: short(alert.detectorId, LIMITS.hash),
    category: short(alert.category, LIMITS.hash),
    threatName: unique([short(alert.threatName, LIMITS.name), short(alert.threatFamilyName, LIMITS.name)]),
    device: devicesOf(alert),
    evidence: kept,
    evidenceTotal: seen.size,
    ...(cutter.cut.length === 0 ? {} : { cut: cutter.cut }),
  };
}
