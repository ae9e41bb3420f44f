import { codeOfStatus, defenderError } from '../defender/errors.js';
import { entraError } from '../entra/errors.js';
import type { Fault, Garbling } from '../faults.js';
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
    case 'imap':
    case 'smtp':
      throw new Error('A fault of a mail server has no HTTP answer.');
  }
};

const hugeBytes = 50 * 1024 * 1024;

/** What a proxy or a captive portal puts in the place of an answer. */
const signInPage =
  '<!DOCTYPE html><html><head><title>Sign in to your account</title></head>' +
  '<body><form method="post" action="/login">Please sign in to reach the network.</form></body></html>';

export const garbled = (reply: Reply, garbling: Garbling): Reply => {
  switch (garbling) {
    case 'html':
      return html(reply.status, signInPage);
    case 'empty':
      return { ...reply, body: '' };
    case 'truncated':
      return { ...reply, body: reply.body.slice(0, Math.floor(reply.body.length / 2)) };
    case 'huge':
      return { ...reply, padBytes: hugeBytes };
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
