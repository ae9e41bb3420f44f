import type { ArchiverNews } from '../archive/state.js';
import type { ServiceSettings } from '../policy.js';
import type { Language } from '../text.js';
import { line } from './clean.js';
import { paragraph, type Letter } from './document.js';
import type { RenderedMail } from './kinds.js';
import { whenInAndUtc } from './when.js';
import { archiveSocLabels, archiveSocMatters, archiveSocTitles } from './words/archive.js';

/** No customer's: the provider's own. */
const PROVIDERS_TIME_ZONE = 'Asia/Tokyo';
const MAX_WHY_LENGTH = 500;

/** Tells the SOC, in both languages, that closed incidents are not archived, or are again. */
export function archiverMail({
  service,
  since,
  why,
  isOver,
}: ArchiverNews & { service: Pick<ServiceSettings, 'socMailTo'> }): RenderedMail {
  const about = isOver ? 'well' : 'trouble';
  const letterIn = (language: Language): Letter => ({
    language,
    title: archiveSocTitles[about][language],
    sections: [
      {
        blocks: [
          {
            type: 'rows',
            rows: [
              { label: archiveSocLabels.since[language], value: whenInAndUtc(language, PROVIDERS_TIME_ZONE)(since) },
              { label: archiveSocLabels.error[language], value: line(why, MAX_WHY_LENGTH) },
            ],
          },
          paragraph(archiveSocMatters[about][language]),
        ],
      },
    ],
  });
  const { ja, en } = archiveSocTitles[about];
  return {
    kind: 'soc-failure',
    to: [service.socMailTo],
    cc: [],
    subject: line(`[見守り SOC] ${ja} / ${en}`, 150),
    letters: [letterIn('ja'), letterIn('en')],
  };
}
