import { codeOfStatus, defenderError } from '../defender/errors.js';
import { entraError } from '../entra/errors.js';
import type { Fault } from '../faults.js';
import { codeOfStatus as twilioCodeOfStatus, twilioError } from '../twilio/errors.js';
import { html, type Reply } from './reply.js';

const message = 'This failure was asked for.';

const ofTarget = (fault: Fault, status: number): Reply => {
  switch (fault.target) {
    case 'defender':
      return defenderError(status, String(fault.code ?? codeOfStatus(status)), message);
    case 'entra': {
      const error = status >= 500 || status === 429 ? 'temporarily_unavailable' : 'invalid_request';
      return entraError({ status, error: String(fault.code ?? error), aadsts: 90033, message });
    }
    case 'twilio':
      return twilioError(status, Number(fault.code ?? twilioCodeOfStatus(status)), message);
    case 'smtp':
      throw new Error('A fault of SMTP has no HTTP answer.');
  }
};

/** @returns null where the fault lets the work be done */
export const faultReply = (fault: Fault): Reply | null => {
  if (fault.status === undefined && fault.body === undefined) return null;
  const status = fault.status ?? 200;
  const reply = fault.body === undefined ? ofTarget(fault, status) : html(status, fault.body);
  if (fault.retryAfterSeconds !== undefined) reply.headers['retry-after'] = String(fault.retryAfterSeconds);
  return reply;
};
