import express, { type Request, type RequestHandler } from 'express';
import { z } from 'zod';
import { customerIdSchema } from '../domain/customer.js';
import { acknowledgement } from '../domain/templates/phone.js';
import { phoneWorkflowId, type CallEvent } from '../domain/phone/record.js';
import { goodbye, hangUp } from '../integrations/phone/twiml.js';
import { isFromTwilio } from '../integrations/phone/signature.js';
import { signalRunning } from '../temporal/executions.js';
import { callEventSignal } from '../workflows/messages.js';
import { reach } from './gateway.js';
import { Problem } from './problem.js';
import type { ApiDeps } from './route.js';

export interface WebhookDeps extends ApiDeps {
  publicUrl: string;
  twilioAuthToken: string;
}

const querySchema = z.object({ customer: customerIdSchema, attempt: z.coerce.number().int().nonnegative() });

/** Source: twilio.com, "TwiML Voice: Gather" (action parameters) and "Outbound calls: status callback". */
const formSchema = z.object({
  CallSid: z.string().min(1),
  CallStatus: z.string().min(1),
  Digits: z.string().optional(),
});

function verified(deps: WebhookDeps, request: Request): { customer: string; event: CallEvent } {
  const url = `${deps.publicUrl}${request.originalUrl}`;
  const signature = request.headers['x-twilio-signature'];
  const genuine = isFromTwilio({ authToken: deps.twilioAuthToken, signature, url, params: request.body });
  if (!genuine) throw new Problem('forbidden', 'The signature is not that of our telephone service.');
  const query = querySchema.safeParse(request.query);
  const form = formSchema.safeParse(request.body);
  if (!query.success || !form.success) throw new Problem('invalid-input', 'The callback was not understood.');
  const { customer, attempt } = query.data;
  const { CallSid: sid, CallStatus: status, Digits } = form.data;
  return { customer, event: { attempt, sid, status, digits: Digits === undefined || Digits === '' ? null : Digits } };
}

async function tell(deps: WebhookDeps, customer: string, event: CallEvent): Promise<void> {
  // The chain may have long ended: a straggling callback that finds nobody is no failure.
  await reach(deps, () => signalRunning(deps.client, phoneWorkflowId(customer), callEventSignal, event));
}

/** Twilio's callbacks, believed by their signature alone. */
export function twilioWebhooks(deps: WebhookDeps): express.Router {
  const router = express.Router();
  const form = express.urlencoded({ extended: false, limit: '64kb' });
  const voice: RequestHandler = async (request, response) => {
    const { customer, event } = verified(deps, request);
    await tell(deps, customer, event);
    const policy = deps.policies.find(customer);
    const pressed = event.digits === '1' && policy !== undefined;
    const twiml = pressed ? goodbye({ text: acknowledgement(policy), language: policy.customer.language }) : hangUp();
    response.type('text/xml').send(twiml);
  };
  const status: RequestHandler = async (request, response) => {
    const { customer, event } = verified(deps, request);
    await tell(deps, customer, event);
    response.status(204).end();
  };
  router.post('/webhooks/twilio/voice', form, voice);
  router.post('/webhooks/twilio/status', form, status);
  return router;
}
