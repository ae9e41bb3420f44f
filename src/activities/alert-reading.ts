import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { AlertNews } from '../domain/alert.js';
import { defenderAlertSchema, parseDefenderTime, type DefenderAlert } from '../domain/defender.js';
import type { InputError } from '../domain/errors.js';
import type { Version } from '../domain/feed/state.js';
import { inputErrors } from '../domain/input.js';
import { newsOf } from '../temporal/delivery.js';

const looseIdSchema = z.looseObject({ id: z.union([z.string(), z.number()]).transform(String) });
const looseTimeSchema = z.looseObject({ lastUpdateTime: z.string().transform(parseDefenderTime) });

/** One row of Defender's list: an alert, what nobody can read, or what the program stumbles over. */
export type Reading = { version: Version; raw: unknown } & (
  | { is: 'alert'; alert: DefenderAlert; news: AlertNews }
  | { is: 'not-understood'; errors: InputError[] }
  | { is: 'fault'; fault: unknown }
);

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The id of an alert that cannot be read; null where not even that can be. */
export function looseIdOf(raw: unknown): string | null {
  return looseIdSchema.safeParse(raw).data?.id.slice(0, 200) ?? null;
}

export function readingOf(raw: unknown): Reading {
  const parsed = defenderAlertSchema.safeParse(raw);
  if (!parsed.success) {
    return { is: 'not-understood', raw, version: looseVersion(raw), errors: inputErrors(parsed.error) };
  }
  try {
    const news = newsOf(parsed.data);
    const { alertId, createdAt, lastUpdateAt } = news.alert;
    const version = { key: alertId, fingerprint: news.fingerprint, changedAt: lastUpdateAt ?? createdAt };
    return { is: 'alert', raw, version, alert: parsed.data, news };
  } catch (fault) {
    return { is: 'fault', raw, version: looseVersion(raw), fault };
  }
}

/** A version of what could not be read: named by its content. */
function looseVersion(raw: unknown): Version {
  const fingerprint = hashOf(JSON.stringify(raw));
  const changedAt = looseTimeSchema.safeParse(raw).data?.lastUpdateTime ?? null;
  return { key: `?${fingerprint.slice(0, 16)}`, fingerprint, changedAt };
}
