import type { Socket } from 'node:net';
import { isReset, type Fault, type Faults } from '../faults.js';
import type { Watch } from '../moments.js';
import type { RequestLog } from '../requests.js';
import type { Timers } from '../timers.js';
import { capabilities } from './commands/anytime.js';
import { ok, type Outcome, type Session } from './commands/command.js';
import { commands } from './commands/index.js';
import type { Mailbox } from './mailbox.js';
import { BadCommand, CommandBuilder, readArguments, show, type Argument, type RawCommand } from './syntax.js';
import type { View } from './view.js';
import { Wire, WireError } from './wire.js';

export interface ImapWorld {
  mailbox: Mailbox;
  faults: Faults;
  requests: RequestLog;
  watch: Watch;
}

const statusOf = { OK: 200, NO: 400, BAD: 500 } as const;

/** While one of these is answered the numbers of messages must not move (RFC 3501, 7.4.1). */
const keepNumbers = new Set(['FETCH', 'STORE', 'SEARCH']);

const signsIn = new Set(['LOGIN', 'AUTHENTICATE']);

interface Asked {
  tag: string;
  name: string;
  given: readonly Argument[];
}

const readCommand = (command: RawCommand): Asked => {
  const [tag, ...words] = readArguments(command);
  const name = words.shift();
  if (tag?.kind !== 'atom' || name?.kind !== 'atom') throw new BadCommand('That is no command');
  const isByUid = name.text.toUpperCase() === 'UID' && words[0]?.kind === 'atom';
  const second = isByUid ? words.shift() : undefined;
  return {
    tag: tag.text,
    name: [name, ...(second === undefined ? [] : [second])].map(show).join(' ').toUpperCase(),
    given: words,
  };
};

/** As faults and the log of requests know it: what was asked for, without secrets. */
const pathOf = ({ name, given }: Asked): string =>
  [name, ...(signsIn.has(name) ? given.slice(0, 1) : given).map(show)].join(' ');

const refusal = (name: string): string => (signsIn.has(name) ? '[AUTHENTICATIONFAILED] Refused' : 'Refused');

/** One client's connection, from the greeting to its end. */
export class ImapSession implements Session {
  isSignedIn = false;
  isLeaving = false;
  view: View | undefined;
  readonly #wire: Wire;
  #waiting: (string | Buffer)[] = [];

  constructor(
    private readonly socket: Socket,
    private readonly world: ImapWorld,
    private readonly timers: Timers,
  ) {
    this.#wire = new Wire(socket);
  }

  get mailbox(): Mailbox {
    return this.world.mailbox;
  }

  untagged(...parts: readonly (string | Buffer)[]): void {
    this.#waiting.push('* ', ...parts, '\r\n');
  }

  async ask(prompt: string): Promise<string | null> {
    this.#wire.write(`+ ${prompt}\r\n`);
    return (await this.#wire.line())?.toString('latin1') ?? null;
  }

  async serve(): Promise<void> {
    this.untagged(`OK [CAPABILITY ${capabilities}] Mimamori simulator`);
    this.#flush();
    try {
      while (!this.isLeaving) {
        const command = await this.#next();
        if (command === null) break;
        await this.#obey(command);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#wire.write(`* BYE ${error.message}\r\n`);
    }
    this.socket.end();
  }

  /** A literal comes between two lines, once it was asked for. */
  async #next(): Promise<RawCommand | null> {
    const builder = new CommandBuilder();
    for (;;) {
      const line = await this.#wire.line();
      if (line === null) return null;
      const announced = builder.addLine(line);
      if (announced === null) return builder.build();
      if (announced.isAwaited) this.#wire.write('+ Go on\r\n');
      const literal = await this.#wire.bytes(announced.count);
      if (literal === null) return null;
      builder.addLiteral(literal);
    }
  }

  async #obey(command: RawCommand): Promise<void> {
    try {
      await this.#run(readCommand(command));
    } catch (error) {
      if (!(error instanceof BadCommand)) throw error;
      const [tag = ''] = command.text.split(' ');
      this.#wire.write(`${/^[\w.]+$/.test(tag) ? tag : '*'} BAD ${error.message}\r\n`);
    }
  }

  async #run(asked: Asked): Promise<void> {
    const { tag, name } = asked;
    const path = pathOf(asked);
    const entry = this.world.requests.begin('imap', name, path);
    const fault = this.world.faults.take('imap', { path });
    const seen = { kind: 'request', target: 'imap', method: name, path, body: '' } as const;
    const isCut =
      (fault !== undefined && isReset(fault)) || (await this.world.watch({ ...seen, phase: 'arrived' })) === 'cut';
    const outcome = isCut || this.socket.destroyed ? null : await this.#outcome(asked, fault);
    if (
      outcome === null ||
      fault?.dropAfterAccept === true ||
      (await this.world.watch({ ...seen, phase: 'done' })) === 'cut'
    ) {
      this.cut();
      return;
    }
    entry.status = fault?.status ?? statusOf[outcome.kind];
    this.#hearNews(!keepNumbers.has(name));
    this.#waiting.push(`${tag} ${outcome.kind} ${outcome.text}\r\n`);
    this.#flush();
  }

  /** @returns null where the connection was cut meanwhile */
  async #outcome(asked: Asked, fault: Fault | undefined): Promise<Outcome | null> {
    if (asked.name === 'IDLE' && fault?.status === undefined) return this.#idle(fault);
    const outcome: Outcome =
      fault?.status === undefined ? await this.#work(asked) : { kind: 'NO', text: fault.body ?? refusal(asked.name) };
    if (fault?.delayMs !== undefined) await this.timers.sleep(fault.delayMs);
    return this.socket.destroyed ? null : outcome;
  }

  async #work({ name, given }: Asked): Promise<Outcome> {
    const command = commands.get(name);
    try {
      if (command === undefined) throw new BadCommand(`There is no command ${name}`);
      return await command(this, given);
    } catch (error) {
      if (error instanceof BadCommand) return { kind: 'BAD', text: error.message };
      throw error;
    }
  }

  /** Late, the client is told nothing until then; dropped, it idles for so long and is cut off. */
  async #idle(fault: Fault | undefined): Promise<Outcome | null> {
    if (!this.isSignedIn) return { kind: 'BAD', text: 'Sign in first' };
    const pause = async () => {
      if (fault?.delayMs !== undefined) await this.timers.sleep(fault.delayMs);
    };
    if (fault?.dropAfterAccept !== true) await pause();
    this.#wire.write('+ idling\r\n');
    const hear = () => {
      this.#hearNews(true);
      this.#flush();
    };
    hear();
    const deafen = this.mailbox.watch(hear);
    try {
      if (fault?.dropAfterAccept === true) {
        await pause();
        return null;
      }
      const line = await this.#wire.line();
      if (line === null) return null;
      return line.toString('latin1').toUpperCase() === 'DONE'
        ? ok('IDLE completed')
        : { kind: 'BAD', text: 'Only DONE ends it' };
    } finally {
      deafen();
    }
  }

  #hearNews(expungesToo: boolean): void {
    if (this.view === undefined) return;
    if (this.view.isVoid(this.mailbox)) {
      this.view = undefined;
      this.untagged('BYE The folder is not the one that it was');
      this.#flush();
      this.isLeaving = true;
      this.socket.end();
      return;
    }
    for (const news of this.view.news(expungesToo)) this.untagged(news);
  }

  #flush(): void {
    const parts = this.#waiting;
    this.#waiting = [];
    if (parts.length > 0) this.#wire.write(...parts);
  }

  cut(): void {
    this.isLeaving = true;
    if (!this.socket.destroyed) this.socket.resetAndDestroy();
  }
}
