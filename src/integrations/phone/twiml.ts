import twilio from 'twilio';
import { clip, type Language } from '../../domain/text.js';

/** Twilio takes no more. Source: twilio.com, Call resource, `Twiml`. */
const MAX_TWIML_LENGTH = 4_000;

const GATHER_SECONDS = 8;

/** Source: twilio.com, "TwiML Voice: Say", available voices. */
const VOICES = {
  ja: { language: 'ja-JP', voice: 'Polly.Kazuha-Neural' },
  en: { language: 'en-US', voice: 'Polly.Joanna-Neural' },
} as const;

/**
 * Says the text twice and takes one key meanwhile or within 8 s afterwards. Twilio posts the key, or that none was
 * pressed (voicemail), to `actionUrl`. A text too long for Twilio is cut.
 */
export function announcement({
  text,
  language,
  actionUrl,
}: {
  text: string;
  language: Language;
  actionUrl: string;
}): string {
  return fitting(text, (spoken) => {
    const response = new twilio.twiml.VoiceResponse();
    response
      .gather({
        input: ['dtmf'],
        numDigits: 1,
        timeout: GATHER_SECONDS,
        action: actionUrl,
        method: 'POST',
        actionOnEmptyResult: true,
        finishOnKey: '',
      })
      .say({ ...VOICES[language], loop: 2 }, spoken);
    return response.toString();
  });
}

/** Says the text once and hangs up. */
export function goodbye({ text, language }: { text: string; language: Language }): string {
  return fitting(text, (spoken) => {
    const response = new twilio.twiml.VoiceResponse();
    response.say(VOICES[language], spoken);
    response.hangup();
    return response.toString();
  });
}

/** Escaping makes texts longer by an amount that depends on them, so the whole is measured. */
function fitting(text: string, render: (spoken: string) => string): string {
  let spoken = speakable(text);
  let twiml = render(spoken);
  while (twiml.length > MAX_TWIML_LENGTH && spoken.length > 1) {
    spoken = clip(spoken, Math.floor(spoken.length * 0.9));
    twiml = render(spoken);
  }
  if (twiml.length > MAX_TWIML_LENGTH) throw new TypeError('the call-back URL leaves no room for a text');
  return twiml;
}

/** XML has no room for control characters and half characters, and nobody can hear them. */
function speakable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]+/gu, ' ').trim();
}

/** Ends the call without another word. */
export function hangUp(): string {
  const response = new twilio.twiml.VoiceResponse();
  response.hangup();
  return response.toString();
}
