import { rfc2822 } from '../clock.js';
import { callParameters, durationSeconds, type Call, type CallEvent } from './call.js';
import { callWebhook, describeFailure, type Params } from './webhook.js';

const finalSipCodes: Record<string, string> = { completed: '200', busy: '486', 'no-answer': '487', canceled: '487' };

/** Tells the subscriber of one call's progress, in order, once each; nobody is told again who did not listen. */
export class StatusCallbacks {
  #sequenceNumber = 0;
  #sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly call: Call,
    private readonly authToken: string,
    private readonly signal: AbortSignal,
  ) {}

  /** @param status what to call it; the resource itself is never `initiated` */
  tell(event: CallEvent, status: string = this.call.status): void {
    const { StatusCallback: url, StatusCallbackMethod: method, StatusCallbackEvent: events } = this.call.params;
    if (url === undefined || !events.includes(event)) return;
    const params: Params = {
      ...callParameters(this.call),
      CallStatus: status,
      CallbackSource: 'call-progress-events',
      SequenceNumber: String(this.#sequenceNumber),
      Timestamp: rfc2822(new Date()),
      ...(event === 'completed' ? this.#finalParams() : {}),
    };
    this.#sequenceNumber += 1;
    this.#sending = this.#sending.then(() => this.#send(url, method, params));
  }

  #finalParams(): Params {
    const seconds = durationSeconds(this.call);
    return {
      CallDuration: String(seconds),
      Duration: String(Math.ceil(seconds / 60)),
      SipResponseCode: finalSipCodes[this.call.status] ?? '480',
    };
  }

  async #send(url: string, method: string, params: Params): Promise<void> {
    try {
      const answer = await callWebhook({ url, method, params, authToken: this.authToken, signal: this.signal });
      if (answer.status >= 400) this.call.problems.push(`11200: status callback: ${answer.status}`);
    } catch (error) {
      if (!this.signal.aborted) this.call.problems.push(`11200: status callback: ${describeFailure(error)}`);
    }
  }
}
