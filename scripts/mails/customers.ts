import { customerSchema } from '../../src/domain/customer.js';
import type { Policy, ServiceSettings } from '../../src/domain/policy.js';
import type { Language } from '../../src/domain/text.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/domain/time.js';

/*
 * The customers of the gallery: one for each language, in its own time zone.
 */

export const service: ServiceSettings = {
  socMailTo: 'soc@mimamori.example',
  mailDomain: 'mimamori.example',
  untriagedWarnMs: 3 * HOUR_MS,
  autoCloseMs: 14 * DAY_MS,
  lingerMs: 7 * DAY_MS,
  phoneRingSeconds: 30,
  phoneRounds: 3,
  phoneRoundPauseMs: MINUTE_MS,
};

const acme = customerSchema.parse({
  id: 'acme',
  name: '株式会社アクメ',
  language: 'ja',
  timeZone: 'Asia/Tokyo',
  defender: { tenantId: '11111111-1111-4111-8111-111111111111' },
  mail: { to: ['security@acme.example'], cc: ['it-help@acme.example'] },
  contacts: [
    { id: 'first', name: '佐藤 花子', phone: '+81312345678', mayInstruct: true, ringOrder: 1 },
    { id: 'second', name: '鈴木 一郎', phone: '+81312345679', mayInstruct: true, ringOrder: 2 },
  ],
  productSupport: {
    name: 'Microsoft 365 サポート窓口',
    mail: 'defender-support@reseller.example',
    phone: '0120-000-000',
    url: 'https://support.reseller.example/',
    note: '平日 9:00–17:00。ご契約番号をお手元にご用意ください。',
  },
});

const globex = customerSchema.parse({
  id: 'globex',
  name: 'Globex Ltd',
  language: 'en',
  timeZone: 'Europe/London',
  defender: { tenantId: '22222222-2222-4222-8222-222222222222' },
  mail: { to: ['soc-liaison@globex.example'] },
  contacts: [
    { id: 'first', name: 'Alex Jones', phone: '+442079460101', mayInstruct: true, ringOrder: 1 },
    { id: 'second', name: 'Priya Patel', phone: '+442079460102', mayInstruct: true, ringOrder: 2 },
  ],
  productSupport: {
    name: 'Reseller Ltd, Defender support',
    mail: 'defender-support@reseller.example',
    phone: '020 7946 0999',
    note: 'Monday to Friday, 9:00 to 17:30. Please have your contract number at hand.',
  },
});

export const policies: Readonly<Record<Language, Policy>> = {
  ja: { customer: acme, service },
  en: { customer: globex, service },
};
