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
    case 'released-elsewhere':
      return `Released from network isolation at ${when(state.at)}, outside our service, for example in Defender’s portal. The device is not isolated.`;
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
    reminder: 'Reminder: we wait for your answer or instruction',
    'inquiry-answer': 'Answer to your inquiry',
    'inquiry-referral': 'Your inquiry: the product’s support desk',
    'exclusion-confirmed': 'Addition to the whitelist: complete',
    'exclusion-reminder': 'Whitelist: a registration ends soon',
    'exclusion-ended': 'Whitelist: a registration is not, or no longer, in force',
  },
  greeting: (customer) => `Dear ${customer},\n\nThis is the Mimamori SOC (security operations centre).`,
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
    supportName: 'Support desk',
    supportMail: 'Mail',
    supportPhone: 'Telephone',
    supportUrl: 'Web site',
    supportNote: 'Note',
    inquiryReference: 'Reference',
    inquiryAt: 'Your inquiry received at',
    proposedWhat: 'What would be excluded',
    proposedWhy: 'Why',
  },
  heading: {
    facts: 'The alert',
    question: 'Our question to you',
    releaseQuestion: 'May we release the isolation?',
    disconnect: 'Please disconnect by hand',
    isolation: 'Network isolation',
    phone: 'Phone call',
    detection: 'Detection',
    analysis: 'Analysis',
    countermeasures: 'Recommended countermeasures',
    message: 'Further information',
    linked: 'Related alert',
    proposal: 'Proposal: addition to the whitelist',
    instruction: 'Your instruction to release',
    release: 'How to release an isolated device',
    answer: 'Our answer',
    referral: 'Support desk of the product',
    remark: 'Our remark',
    yourWords: 'Your inquiry',
    inquiry: 'How to reach us',
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
  askedSince: (text, since) => `${text}\n(asked at ${since})`,
  isolatedSince: (device, since) => `${device}: isolated since ${since}`,
  inquiry: {
    answered: 'Thank you for your inquiry. Our answer is below.',
    noReply: 'Unless you have further questions, you need not reply.',
    referred:
      'Your inquiry is about the product itself (Microsoft Defender: its specification or a fault), which the product’s support desk answers.',
    askThere: 'Please put your question to the support desk named below.',
    askUs: 'If you do not know how to reach the support desk, please tell us by replying to this mail.',
  },
  askDisconnect: (devices) =>
    `Defender could not isolate: ${devices.join(', ')}\nPlease disconnect ${devices.length === 1 ? 'it' : 'them'} from the network by hand, for example by unplugging network cables and turning Wi-Fi off. If that is not possible, please tell us by replying to this mail.`,
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
    'Please send questions, answers and instructions by replying to this mail, at any hour of any day: our analysts answer by mail, 24 hours a day, 365 days a year.\nWhen you reply, please leave the subject as it is.',
  productHow: (desk) =>
    desk === null
      ? 'Please direct questions about the specification or faults of the product (Microsoft Defender) to the product’s support desk.'
      : `Please direct questions about the specification or faults of the product (Microsoft Defender) to the product’s support desk: ${desk}`,
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
