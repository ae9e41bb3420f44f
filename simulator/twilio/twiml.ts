import { elementsOf, parseXml, textOf, XmlError, type Element } from './xml.js';

export interface Gather {
  kind: 'gather';
  said: string[];
  /** null: as many as come. */
  numDigits: number | null;
  timeoutSeconds: number;
  finishOnKey: string;
  action: string | null;
  method: string;
  actionOnEmptyResult: boolean;
}

export type Verb =
  | { kind: 'say'; text: string }
  | { kind: 'pause'; lengthSeconds: number }
  | { kind: 'hangup' }
  | { kind: 'redirect'; url: string; method: string }
  | Gather;

/** What Twilio's debugger would say of a document; the call ends with it. */
export class TwimlError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

const invalid = (message: string): TwimlError => new TwimlError(12200, message);

const readNumber = (element: Element, name: string, otherwise: number): number => {
  const given = element.attributes[name];
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (given.trim() === '' || !Number.isFinite(value) || value < 0)
    throw invalid(`<${element.name}>: ${name}="${given}" is not a number.`);
  return value;
};

const readMethod = (element: Element): string => (element.attributes['method'] ?? 'POST').toUpperCase();

const readGather = (element: Element): Gather => {
  const nested = elementsOf(element);
  const stranger = nested.find((child) => !['Say', 'Pause', 'Play'].includes(child.name));
  if (stranger !== undefined) throw invalid(`<${stranger.name}> must not be inside of <Gather>.`);
  return {
    kind: 'gather',
    said: nested.filter((child) => child.name === 'Say').map((child) => textOf(child).trim()),
    numDigits: element.attributes['numDigits'] === undefined ? null : readNumber(element, 'numDigits', 1),
    timeoutSeconds: readNumber(element, 'timeout', 5),
    finishOnKey: element.attributes['finishOnKey'] ?? '#',
    action: element.attributes['action'] ?? null,
    method: readMethod(element),
    actionOnEmptyResult: element.attributes['actionOnEmptyResult'] === 'true',
  };
};

const readVerb = (element: Element): Verb => {
  switch (element.name) {
    case 'Say':
      return { kind: 'say', text: textOf(element).trim() };
    case 'Pause':
      return { kind: 'pause', lengthSeconds: readNumber(element, 'length', 1) };
    case 'Hangup':
      return { kind: 'hangup' };
    case 'Redirect':
      return { kind: 'redirect', url: textOf(element).trim(), method: readMethod(element) };
    case 'Gather':
      return readGather(element);
    default:
      throw invalid(`<${element.name}> is not simulated.`);
  }
};

export const parseTwiml = (text: string): Verb[] => {
  try {
    const root = parseXml(text);
    if (root.name !== 'Response') throw invalid(`<${root.name}> in the place of <Response>.`);
    return elementsOf(root).map(readVerb);
  } catch (error) {
    if (error instanceof XmlError) throw new TwimlError(12100, `Document parse failure: ${error.message}`);
    throw error;
  }
};
