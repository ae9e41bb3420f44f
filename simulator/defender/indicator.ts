import { isIP } from 'node:net';
import { z } from 'zod';
import { checkBody } from './body.js';
import { DefenderRefusal } from './errors.js';

const hashLengths = { FileMd5: 32, FileSha1: 40, CertificateThumbprint: 40, FileSha256: 64 } as const;

const indicatorTypes = [
  'FileSha1',
  'FileMd5',
  'CertificateThumbprint',
  'FileSha256',
  'IpAddress',
  'DomainName',
  'Url',
] as const;
type IndicatorType = (typeof indicatorTypes)[number];

/** The last two are what the first ones were called before. */
const actions = ['Allowed', 'Audit', 'Block', 'BlockAndRemediate', 'Warn', 'Alert', 'AlertAndBlock'] as const;

const text = z.string().min(1);

const submittedSchema = z
  .object({
    indicatorValue: text,
    indicatorType: z.enum(indicatorTypes),
    action: z.enum(actions),
    title: text,
    description: text,
    application: z.string().nullable().optional(),
    expirationTime: z.iso.datetime({ offset: true }).nullable().optional(),
    severity: z.enum(['Informational', 'Low', 'Medium', 'High']).optional(),
    recommendedActions: z.string().nullable().optional(),
    rbacGroupNames: z.array(z.string()).nullable().optional(),
    educateUrl: z.string().nullable().optional(),
    generateAlert: z.boolean().optional(),
    mitreTechniques: z.array(z.string()).nullable().optional(),
    externalId: z.string().nullable().optional(),
  })
  .refine(({ action, generateAlert }) => action !== 'Audit' || generateAlert === true, {
    path: ['action'],
    message: 'Audit needs generateAlert to be true.',
  });

export type Submitted = z.output<typeof submittedSchema>;

/** As Defender returns it. A type, not an interface, so that it can be filtered like any row. */
export type Indicator = {
  id: string;
  indicatorValue: string;
  indicatorType: IndicatorType;
  action: string;
  createdBy: string;
  createdByDisplayName: string;
  createdBySource: string;
  severity: string;
  category: number;
  application: string | null;
  educateUrl: string | null;
  bypassDurationHours: number | null;
  title: string;
  description: string;
  recommendedActions: string | null;
  creationTimeDateTimeUtc: string;
  expirationTime: string | null;
  lastUpdateTime: string;
  lastUpdatedBy: string;
  rbacGroupNames: string[];
  rbacGroupIds: string[];
  notificationId: string | null;
  notificationBody: string | null;
  version: string | null;
  mitreTechniques: string[];
  historicalDetection: boolean;
  lookBackPeriod: string | null;
  generateAlert: boolean;
  additionalInfo: string | null;
  externalId: string | null;
  certificateInfo: string | null;
};

const hostName = /^(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/i;

const isWebAddress = (value: string): boolean => {
  if (/\s/.test(value)) return false;
  try {
    const { protocol, hostname } = new URL(value.includes('://') ? value : `https://${value}`);
    return /^https?:$/.test(protocol) && (hostName.test(hostname) || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0);
  } catch {
    return false;
  }
};

const checkValue = ({ indicatorType, indicatorValue: value }: Submitted): void => {
  switch (indicatorType) {
    case 'FileMd5':
    case 'FileSha1':
    case 'FileSha256':
    case 'CertificateThumbprint':
      if (/^[0-9a-f]+$/i.test(value) && value.length === hashLengths[indicatorType]) return;
      throw new DefenderRefusal(400, 'InvalidHashValue', `Hash value ${value} is invalid.`);
    case 'IpAddress':
      if (isIP(value) !== 0) return;
      throw new DefenderRefusal(400, 'InvalidIpAddress', `IP address ${value} is invalid.`);
    case 'DomainName':
      if (hostName.test(value)) return;
      throw new DefenderRefusal(400, 'InvalidDomainName', `Domain name ${value} is invalid.`);
    case 'Url':
      if (isWebAddress(value)) return;
      throw new DefenderRefusal(400, 'InvalidUrl', `URL ${value} is invalid.`);
  }
};

/** In a URL the letters of the path differ; elsewhere a capital is the same. */
export const keyOf = ({ indicatorType, indicatorValue }: Pick<Submitted, 'indicatorType' | 'indicatorValue'>): string =>
  `${indicatorType} ${indicatorType === 'Url' ? indicatorValue : indicatorValue.toLowerCase()}`;

/** @throws DefenderRefusal */
export const checkIndicator = (body: unknown): Submitted => {
  const submitted = checkBody(body, submittedSchema);
  checkValue(submitted);
  return submitted;
};

export const newIndicator = (id: string, submitted: Submitted, applicationId: string, now: string): Indicator => ({
  id,
  indicatorValue: submitted.indicatorValue,
  indicatorType: submitted.indicatorType,
  action: submitted.action,
  createdBy: applicationId,
  createdByDisplayName: 'Mimamori',
  createdBySource: 'PublicApi',
  severity: 'Informational',
  category: 1,
  application: submitted.application ?? null,
  educateUrl: null,
  bypassDurationHours: null,
  title: submitted.title,
  description: submitted.description,
  recommendedActions: null,
  creationTimeDateTimeUtc: now,
  expirationTime: null,
  lastUpdateTime: now,
  lastUpdatedBy: applicationId,
  rbacGroupNames: [],
  rbacGroupIds: [],
  notificationId: null,
  notificationBody: null,
  version: null,
  mitreTechniques: [],
  historicalDetection: false,
  lookBackPeriod: null,
  generateAlert: false,
  additionalInfo: null,
  externalId: null,
  certificateInfo: null,
});

/** What is not said stays; the application is that of the first time. */
export const changeIndicator = (
  indicator: Indicator,
  submitted: Submitted,
  applicationId: string,
  now: string,
): void => {
  const { indicatorValue: _value, indicatorType: _type, application: _application, ...changes } = submitted;
  Object.assign(indicator, changes, {
    rbacGroupNames: submitted.rbacGroupNames ?? indicator.rbacGroupNames,
    mitreTechniques: submitted.mitreTechniques ?? indicator.mitreTechniques,
    lastUpdateTime: now,
    lastUpdatedBy: applicationId,
  });
};
