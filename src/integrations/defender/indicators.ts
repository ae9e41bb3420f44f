import { z } from 'zod';
import { parseDefenderTime } from '../../domain/defender.js';
import type { AllowedIndicator } from '../../domain/exclusion/indicator.js';
import { oneLine } from '../../domain/text.js';

type IndicatorKey = Pick<AllowedIndicator, 'indicatorType' | 'indicatorValue'>;

const MAX_FAILURE_LENGTH = 300;

const idSchema = z.union([z.string().min(1), z.number()]).transform(String);
const looseText = z
  .string()
  .nullish()
  .catch(null)
  .transform((text) => text ?? undefined);

/** An indicator as Defender lists it: what tells ours from others' and says whether it is still as we want it. */
const listedIndicatorSchema = z.object({
  id: idSchema,
  indicatorType: z.string(),
  indicatorValue: z.string(),
  /** `Allowed`, `Block`, … */
  action: z.string(),
  title: looseText,
  createdBy: looseText,
  /** Undefined: it never expires. */
  expirationTime: looseText.transform((text) => (text === undefined ? undefined : parseDefenderTime(text))),
});
export type ListedIndicator = z.infer<typeof listedIndicatorSchema>;

export const indicatorListSchema = z.object({ value: z.array(listedIndicatorSchema) });

/** What became of one indicator: it has an id, or Defender's words for why it was not taken. */
export type ImportedIndicator =
  { value: string; id: string; failure?: undefined } | { value: string; id?: undefined; failure: string };

const importedSchema = z.object({
  value: z.array(
    z.object({
      id: idSchema.nullish().catch(null),
      indicator: z.string(),
      isFailed: z.boolean(),
      failureReason: looseText,
    }),
  ),
});

/** The answer to a batch, in its order. One of which it says nothing makes it an answer that cannot be read. */
export function imported(batch: readonly AllowedIndicator[]) {
  return importedSchema.transform(({ value }, context): ImportedIndicator[] => {
    const unread = [...value];
    return batch.map(({ indicatorValue }) => {
      const at = unread.findIndex(({ indicator }) => indicator.toLowerCase() === indicatorValue.toLowerCase());
      const [told] = at === -1 ? [] : unread.splice(at, 1);
      if (told?.isFailed === true) {
        return {
          value: indicatorValue,
          failure: oneLine(told.failureReason ?? 'no reason given', MAX_FAILURE_LENGTH),
        };
      }
      if (told?.id != null) return { value: indicatorValue, id: told.id };
      context.addIssue({ code: 'custom', message: `says nothing of ${indicatorValue}` });
      return z.NEVER;
    });
  });
}

/** Only in a URL do capitals mean something else, and a filter may be strict about them. */
export function spellings({ indicatorType, indicatorValue }: IndicatorKey): string[] {
  if (indicatorType === 'Url') return [indicatorValue];
  return [...new Set([indicatorValue, indicatorValue.toLowerCase(), indicatorValue.toUpperCase()])];
}

/** A filter that Defender overlooks would bring the indicators of the whole tenant. */
export function isSameValue(wanted: IndicatorKey, listed: ListedIndicator): boolean {
  const key = (value: string): string => (wanted.indicatorType === 'Url' ? value : value.toLowerCase());
  return listed.indicatorType === wanted.indicatorType && key(listed.indicatorValue) === key(wanted.indicatorValue);
}
