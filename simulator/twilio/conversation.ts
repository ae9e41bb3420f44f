import { setTimeout as sleep } from 'node:timers/promises';
import { callParameters, type Call } from './call.js';
import { answerSeconds, silenceSeconds, type Phone } from './phones.js';
import { parseTwiml, TwimlError, type Gather, type Verb } from './twiml.js';
import { fetchTwiml, type Params } from './webhook.js';

interface Document {
  verbs: Verb[];
  /** What relative addresses in it are relative to; inline TwiML has none. */
  url: string | null;
}

const longestConversation = 100;

/** An answered call: runs TwiML to its end, with the phone's owner on the other side. */
export class Conversation {
  constructor(
    private readonly call: Call,
    private readonly phone: Phone,
    private readonly authToken: string,
    private readonly signal: AbortSignal,
    private readonly beforeKey: () => Promise<unknown>,
  ) {}

  async run(): Promise<void> {
    try {
      let document: Document | null = await this.#firstDocument();
      for (let turn = 0; document !== null; turn += 1) {
        if (turn === longestConversation) throw new TwimlError(12200, `More than ${longestConversation} documents.`);
        document = await this.#perform(document);
      }
    } catch (error) {
      if (!(error instanceof TwimlError)) throw error;
      // The person hears "an application error has occurred"; then Twilio hangs up.
      this.call.problems.push(`${error.code}: ${error.message}`);
    }
  }

  async #firstDocument(): Promise<Document> {
    const { Url, Method, Twiml } = this.call.params;
    if (Url !== undefined) return this.#fetch(Url, Method, {}, null);
    return { verbs: parseTwiml(Twiml ?? ''), url: null };
  }

  /** @returns the document that goes on, or null when the call is over */
  async #perform({ verbs, url }: Document): Promise<Document | null> {
    for (const verb of verbs) {
      switch (verb.kind) {
        case 'say':
          this.call.said.push(verb.text);
          break;
        case 'pause':
          await this.#wait(silenceSeconds(this.phone, verb.lengthSeconds));
          break;
        case 'hangup':
          return null;
        case 'redirect':
          return this.#fetch(verb.url, verb.method, {}, url);
        case 'gather': {
          this.call.said.push(...verb.said);
          const digits = await this.#gather(verb);
          if (digits === '' && !verb.actionOnEmptyResult) break;
          return this.#fetch(verb.action ?? '', verb.method, { Digits: digits, msg: 'Gather End' }, url);
        }
      }
    }
    return null;
  }

  async #gather(gather: Gather): Promise<string> {
    const presses = this.phone.answers === 'human' ? (this.phone.presses ?? '') : '';
    const untilPressedSeconds = answerSeconds(this.phone);
    if (presses === '' || untilPressedSeconds > gather.timeoutSeconds) {
      await this.#wait(silenceSeconds(this.phone, gather.timeoutSeconds));
      return '';
    }
    await this.#wait(untilPressedSeconds);
    await this.beforeKey();
    const finish = Array.from(presses).findIndex((key) => gather.finishOnKey.includes(key));
    const entered = finish === -1 ? presses : presses.slice(0, finish);
    const digits = gather.numDigits === null ? entered : entered.slice(0, gather.numDigits);
    this.call.digits = digits;
    const isComplete = finish !== -1 || digits.length === gather.numDigits;
    // More might follow: only silence tells that nothing does.
    if (!isComplete) await this.#wait(silenceSeconds(this.phone, gather.timeoutSeconds));
    return digits;
  }

  async #fetch(url: string, method: string, params: Params, base: string | null): Promise<Document> {
    const target = base === null ? url : new URL(url, base).href;
    if (!URL.canParse(target)) throw new TwimlError(11100, `Invalid URL format: '${url}'.`);
    const body = await fetchTwiml({
      url: target,
      method,
      params: { ...callParameters(this.call), ...params },
      authToken: this.authToken,
      signal: this.signal,
    });
    return { verbs: parseTwiml(body), url: target };
  }

  async #wait(seconds: number): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal: this.signal });
  }
}
