import { reasonForCustomer } from '../../reasons.js';
import { assertNever } from '../../text.js';
import type { DeviceState } from '../devices.js';
import type { When } from '../when.js';
import type { CustomerWords, PhoneState } from './words.js';

function until(at: string | null, when: When): string {
  return at === null ? '' : ` (until ${when(at)})`;
}

function device(state: DeviceState, when: When): string {
  switch (state.is) {
    case 'to-be-requested':
      return 'Network isolation is being arranged. At present the device is not isolated.';
    case 'being-verified':
      return 'We are verifying the device. At present it is not isolated.';
    case 'requested':
      return `Network isolation was requested (${when(state.at)}). Its completion is not confirmed yet; we will write again when we know the result.`;
    case 'isolated':
      return `Isolated from the network since ${when(state.since)}.`;
    case 'waived-tuning':
      return `Not isolated, because of the whitelist tuning period${until(state.until, when)}.`;
    case 'server-left':
      return 'Not isolated: the device is a server, and our analyst decided to leave it on the network.';
    case 'failed':
      return `The device could not be isolated. Reason: ${reasonForCustomer(state.reason).en}. It may still be connected to the network.`;
    case 'cancelling':
      return 'The isolation was not confirmed, and the request for it is being cancelled.';
    case 'cancelled':
      return `The request for isolation was cancelled. The device is not isolated. Reason: ${reasonForCustomer(state.reason).en}.`;
    case 'cancelled-tuning':
      return `The request for isolation was cancelled, because the whitelist tuning period began${until(state.until, when)}. The device is not isolated.`;
    case 'releasing':
      return `Isolated from the network since ${when(state.since)}. On your instruction, the release is under way.`;
    case 'released':
      return `Released from network isolation at ${when(state.at)}.`;
    case 'held':
      return state.by.length === 0
        ? 'Still isolated, because another incident still needs the isolation.'
        : `Still isolated, because another incident of yours (${state.by.join(', ')}) still needs the isolation. To release the device, please instruct us for that incident as well.`;
    case 'still-requested':
      return `The isolation is still being requested, because another incident of yours${state.by.length === 0 ? '' : ` (${state.by.join(', ')})`} needs it. If you do not want the device to be isolated, please instruct us for that incident as well.`;
    case 'release-failed':
      return `The device could not be released and is still isolated. Reason: ${reasonForCustomer(state.reason).en}. Our analysts are dealing with it.`;
    case 'release-cancelled-request':
      return 'The request was cancelled before the device was isolated. The device is not isolated.';
    case 'was-not-isolated':
      return 'The device was not isolated, so there was nothing to release.';
    default:
      return assertNever(state);
  }
}

function phone(state: PhoneState, when: When): string {
  switch (state.is) {
    case 'to-be-rung':
      return 'As this is threat level 4, we will also ring your registered contacts in turn.';
    case 'ringing':
      return 'As this is threat level 4, we are also ringing your registered contacts in turn.';
    case 'acknowledged':
      return `Our call was acknowledged${state.by === null ? '' : ` by ${state.by}`} at ${when(state.at)}.`;
    case 'unanswered':
      return 'We rang your registered contacts, but nobody acknowledged the call.';
    case 'no-contact':
      return 'We could not ring you, because no contact is registered for calls.';
    default:
      return assertNever(state);
  }
}

export const en: CustomerWords = {
  language: 'en',
  service: 'Mimamori',
  titles: {
    primary: 'Primary escalation',
    secondary: 'Secondary escalation',
    'isolation-result': 'Secondary escalation: result of the network isolation',
    'release-result': 'Result of the release from isolation',
    'exclusion-confirmed': 'Addition to the whitelist: complete',
    'exclusion-reminder': 'Whitelist: a registration ends soon',
  },
  greeting: (customer) => `Dear ${customer},\n\nThis is the Mimamori SOC (security operations centre).`,
  openings: {
    primary:
      'We have analysed an alert of Microsoft Defender for Endpoint and concluded that you need to know about it.',
    'primary-all-clear':
      'We have analysed an alert of Microsoft Defender for Endpoint and found no problem. We are writing because a device had been isolated from the network before this conclusion.',
    changed: 'There is a new assessment of the incident that we informed you of.',
    'changed-all-clear': 'We have completed our analysis of the incident that we informed you of and found no problem.',
    more: 'There is further information on the incident that we informed you of.',
    'all-isolated': 'The network isolation of the device or devices concerned is complete.',
    'isolation-result': 'Please find below the result of the network isolation.',
    'all-released': 'As you instructed, the device or devices concerned have been released from network isolation.',
    'release-result': 'Please find below the result of the release that you instructed.',
  },
  label: {
    reference: 'Incident number',
    alert: 'Alert',
    detectedAt: 'Detected at',
    severity: 'Severity in Defender',
    devices: 'Devices',
    level: 'Threat level',
    judgement: 'Detection judged as',
    instructor: 'Instructed by',
    instructedAt: 'Received at',
    channel: 'Received by',
    calledBackAt: 'Confirmed by calling back at',
    proposedWhat: 'What would be excluded',
    proposedWhy: 'Why',
  },
  heading: {
    question: 'Our question to you',
    releaseQuestion: 'May we release the isolation?',
    isolation: 'Network isolation',
    phone: 'Phone call',
    detection: 'Detection',
    analysis: 'Analysis',
    countermeasures: 'Recommended countermeasures',
    message: 'Further information',
    proposal: 'Proposal: addition to the whitelist',
    instruction: 'Your instruction to release',
    release: 'How to release an isolated device',
    inquiry: 'Questions',
  },
  level: {
    4: 'Level 4 (strongly suspected to be spreading over several devices)',
    3: 'Level 3 (malware strongly suspected on one device)',
    2: 'Level 2 (the SOC cannot call it safe)',
    1: 'Level 1 (analysed, no problem)',
  },
  judgement: {
    'true-positive': 'true positive (the detection was right)',
    'false-positive': 'false positive (the detection was wrong)',
    undetermined: 'undetermined',
  },
  changed: (from, to) => `${to}, changed from: ${from}`,
  unchanged: (value) => `${value}, unchanged`,
  unknown: 'unknown',
  none: 'none named by the alert',
  channel: { mail: 'mail', phone: 'phone', portal: 'portal' },
  device,
  phone,
  noIsolation: 'No device was isolated, as this is threat level 2.',
  noDeviceNamed: 'No device was isolated, because the device concerned is not known.',
  answerByReply: 'Please answer by replying to this mail.',
  askRelease: (devices) =>
    `These devices are still isolated from the network: ${devices.join(', ')}\nPlease tell us, by replying to this mail or by phone, whether we may release them. They stay isolated until you instruct us.`,
  proposalHow:
    'If you want this, please ask for it by replying to this mail. We register it on our business days between 9:00 and 18:00 (Japan time) and confirm by a reply. Nothing is registered unless you ask for it.',
  releaseHow: (people) =>
    [
      'A device is released from isolation only on your decision and instruction, at any hour of any day.',
      people.length === 0
        ? 'Nobody is registered yet who may instruct us. Please contact us by replying to this mail.'
        : `Who may instruct us: ${people.join(', ')}`,
      'Please instruct us by replying to this mail or by phone. After a phone call, we call back the registered number to make sure that it was you.',
    ].join('\n'),
  inquiryHow:
    'If you have any question about this incident, please reply to this mail. Our analysts answer by mail, 24 hours a day, 365 days a year.\nPlease direct questions about the specification or faults of the product to the product’s support desk.',
  signature: 'Mimamori SOC (security operations centre)',
  listOf: (items) => items.join(', '),
  call: {
    announcement: (titles, more) =>
      [
        'This is Mimamori, your security operations centre, with an urgent message.',
        'Threat level 4: an infection is strongly suspected to be spreading over several devices.',
        ...(titles.length === 0
          ? []
          : [
              `The alert${titles.length + more > 1 ? 's are' : ' is'}: ${titles.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`,
            ]),
        'Please look at the mail that we are sending you.',
        'To acknowledge this call, press 1.',
      ].join(' '),
    acknowledgement: 'Thank you for acknowledging. Please see our mail for the details. This was Mimamori.',
  },
};
