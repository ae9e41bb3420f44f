import { Context } from '@temporalio/activity';
import type { CallInput, Outside } from '../domain/ports.js';
import type { PhoneClient } from '../integrations/phone/client.js';
import { PhoneError } from '../integrations/phone/errors.js';
import { announcement } from '../integrations/phone/twiml.js';
import { alive, isTemporals, tryAgain, tryAgainOrTell, type TellDeps } from './support.js';

export interface PhoneDeps extends TellDeps {
  phone: PhoneClient;
  publicUrl: string;
}

/** Where Twilio reports about one call; its signature covers the whole address, so nobody else can make one up. */
export function callbackUrls(publicUrl: string, customerId: string, attempt: number) {
  const query = new URLSearchParams({ customer: customerId, attempt: String(attempt) }).toString();
  return {
    voice: `${publicUrl}/webhooks/twilio/voice?${query}`,
    status: `${publicUrl}/webhooks/twilio/status?${query}`,
  };
}

function retryable(error: unknown): unknown {
  return error instanceof PhoneError && !isTemporals(error) ? tryAgain('PhoneError', error) : error;
}

export function phoneActivities({
  phone,
  publicUrl,
  ...tell
}: PhoneDeps): Pick<Outside, 'placeCall' | 'hangUp' | 'readCall'> {
  return {
    placeCall: ({ customerId, attempt, to, text, language, ringSeconds, notBefore }: CallInput) =>
      alive(async () => {
        try {
          const isFirstTry = Context.current().info.attempt === 1;
          const placedBefore = isFirstTry ? undefined : await phone.findCall({ to, placedAfter: notBefore });
          if (placedBefore !== undefined) return { status: 'placed', sid: placedBefore.sid };
          const urls = callbackUrls(publicUrl, customerId, attempt);
          const twiml = announcement({ text, language, actionUrl: urls.voice });
          const { sid } = await phone.placeCall({ to, twiml, statusCallbackUrl: urls.status, ringSeconds });
          return { status: 'placed', sid };
        } catch (error) {
          if (error instanceof PhoneError && error.kind === 'permanent') {
            return { status: 'refused', reason: error.message };
          }
          throw retryable(error);
        }
      }),

    hangUp: ({ sid }) =>
      alive(async () => {
        try {
          await phone.hangUp(sid);
          return undefined;
        } catch (error) {
          return tryAgainOrTell(error, {}, tell);
        }
      }),

    readCall: ({ sid }) =>
      alive(async () => {
        try {
          const { status } = await phone.getCall(sid);
          return { status };
        } catch (error) {
          return tryAgainOrTell(error, {}, tell);
        }
      }),
  };
}
