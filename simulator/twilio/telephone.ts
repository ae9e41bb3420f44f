import { setTimeout as sleep } from 'node:timers/promises';
import { newCall, type Call, type CallParams, type CallStatus } from './call.js';
import type { Watch } from '../moments.js';
import { Conversation } from './conversation.js';
import { answerSeconds, defaultPhone, type Phone } from './phones.js';
import { StatusCallbacks } from './status-callbacks.js';

interface Line {
  call: Call;
  callbacks: StatusCallbacks;
  hangUp: AbortController;
}

const dialMs = 10;

/** All phones there are, and the calls to them. */
export class Telephone {
  readonly #phones = new Map<string, Phone>();
  #lines: Line[] = [];
  #world = new AbortController();

  constructor(
    private readonly authToken: string,
    private readonly watch: Watch,
  ) {}

  setPhone(number: string, phone: Phone): void {
    this.#phones.set(number, phone);
  }

  phone(number: string): Phone {
    return this.#phones.get(number) ?? defaultPhone;
  }

  /** Oldest first. */
  calls(): Call[] {
    return this.#lines.map((line) => line.call);
  }

  dial(accountSid: string, params: CallParams): Call {
    const call = newCall(accountSid, params);
    const hangUp = new AbortController();
    const signal = AbortSignal.any([this.#world.signal, hangUp.signal]);
    const line = { call, callbacks: new StatusCallbacks(call, this.authToken, this.#world.signal), hangUp };
    this.#lines.push(line);
    this.#run(line, signal).catch((error: unknown) => {
      // Whoever hung up has said how the call ends.
      if (signal.aborted) return;
      call.problems.push(String(error));
      this.#end(line, 'failed');
    });
    return call;
  }

  /** `canceled` ends a call that nobody has answered yet, `completed` any; other calls stay as they are. */
  hangUp(call: Call, wanted: 'canceled' | 'completed'): void {
    const line = this.#lines.find((candidate) => candidate.call === call);
    if (line === undefined || call.endedAt !== null) return;
    if (call.status === 'in-progress' && wanted === 'canceled') return;
    line.hangUp.abort();
    this.#end(line, call.status === 'in-progress' ? 'completed' : 'canceled');
  }

  /** Calls in progress vanish without a word to anybody. */
  dropCalls(): void {
    this.#world.abort();
    this.#world = new AbortController();
    this.#lines = [];
  }

  reset(): void {
    this.dropCalls();
    this.#phones.clear();
  }

  async #run(line: Line, signal: AbortSignal): Promise<void> {
    const { call, callbacks } = line;
    const phone = this.phone(call.params.To);
    const wait = async (seconds: number): Promise<void> => sleep(seconds * 1000, undefined, { signal });

    await sleep(dialMs, undefined, { signal });
    call.startedAt = new Date();
    callbacks.tell('initiated', 'initiated');
    await sleep(dialMs, undefined, { signal });
    this.#move(call, 'ringing');
    callbacks.tell('ringing');
    const to = call.params.To;
    await this.watch({ kind: 'call', phase: 'ringing', to });

    const ringSeconds = call.params.Timeout;
    if (phone.answers === 'nobody' || answerSeconds(phone) > ringSeconds) {
      await wait(Math.min(ringSeconds, phone.afterSeconds ?? ringSeconds));
      this.#end(line, 'no-answer');
      return;
    }
    await wait(answerSeconds(phone));
    if (phone.answers === 'busy') {
      this.#end(line, 'busy');
      return;
    }
    const machine = call.params.MachineDetection === 'DetectMessageEnd' ? 'machine_end_beep' : 'machine_start';
    call.answeredBy = phone.answers === 'human' ? 'human' : machine;
    call.answeredAt = new Date();
    this.#move(call, 'in-progress');
    callbacks.tell('answered');
    await this.watch({ kind: 'call', phase: 'answered', to });
    const beforeKey = () => this.watch({ kind: 'call', phase: 'pressing', to });
    await new Conversation(call, phone, this.authToken, signal, beforeKey).run();
    this.#end(line, 'completed');
  }

  #move(call: Call, status: CallStatus): void {
    call.status = status;
    call.updatedAt = new Date();
  }

  #end(line: Line, status: CallStatus): void {
    if (line.call.endedAt !== null) return;
    line.call.endedAt = new Date();
    this.#move(line.call, status);
    line.callbacks.tell('completed');
  }
}
