import type { ChatRequest, Message, Part } from './chat-request.ts';

/** What a request asks of a model, and what it says to the gateway; for choosing a target, never to be sent or logged. */
export type RequestFacts = {
  needs: readonly Need[];
  /** The model was asked to think before it answers. */
  thinks: boolean;
  maxOutputTokens: number | undefined;
  /** Characters of pictures, sounds and files that stand in the body itself, and how many of them there are. */
  mediaCharacters: number;
  mediaCount: number;
  user: string | undefined;
  metadata: Readonly<Record<string, string>> | undefined;
  /** The beginning of the conversation, the same for all its turns; undefined where it tells nothing. */
  opening: string | undefined;
  /** OpenRouter's `models` and `provider`, as the caller wrote them. */
  models?: unknown;
  provider?: unknown;
};

export type Need = 'tools' | 'vision' | 'audio' | 'files' | 'jsonSchema';

/** Enough to tell conversations apart, of the instructions and of the user's first words each. */
const openingCharacters = 1_000;

const needsOfParts: Readonly<Partial<Record<Part['type'], Need>>> = { image: 'vision', audio: 'audio', file: 'files' };

/** The facts of a request that is decoded already. */
export function factsOfRequest(request: ChatRequest): RequestFacts {
  const { tools, responseFormat, reasoning, messages } = request;
  const needs = new Set<Need>();
  if (tools.length > 0) needs.add('tools');
  if (responseFormat?.type === 'json-schema') needs.add('jsonSchema');
  let mediaCharacters = 0;
  let mediaCount = 0;
  for (const part of messages.flatMap(({ parts }) => parts)) {
    const need = needsOfParts[part.type];
    if (need === undefined) continue;
    needs.add(need);
    mediaCount++;
    mediaCharacters += dataOf(part).length;
  }
  return {
    needs: [...needs],
    thinks: reasoning !== undefined && reasoning.effort !== 'none',
    maxOutputTokens: request.maxOutputTokens,
    mediaCharacters,
    mediaCount,
    user: request.user,
    metadata: request.metadata,
    opening: openingOf(messages, roleOf, ({ parts }) => parts.map(wordsOf)),
  };
}

/**
 * How a conversation begins: the instructions before the user's first words, and these. Each is cut for itself, since
 * instructions may be long and the same for everybody. Undefined where the user has said nothing that could be told apart.
 */
export function openingOf<M>(
  messages: readonly M[],
  roleOf: (message: M) => unknown,
  words: (message: M) => string[],
): string | undefined {
  const at = messages.findIndex((message) => roleOf(message) === 'user');
  const [user] = messages.slice(at, at + 1);
  const said = user === undefined ? '' : beginning(words(user));
  if (said === '') return undefined;
  const isInstruction = (message: M) => roleOf(message) === 'system' || roleOf(message) === 'developer';
  const instructions = messages.slice(0, at).filter(isInstruction);
  return `${beginning(instructions.flatMap(words))}\n${said}`;
}

function beginning(words: readonly string[]): string {
  let text = '';
  for (const one of words) text += one.slice(0, openingCharacters - text.length);
  return text;
}

/** What a picture, a sound or a file adds to the opening. Those of one kind begin alike, so of their data it is the end. */
export function mediaWords(data: string): string {
  return data.slice(-openingCharacters / 10);
}

/** What tools have found stands in messages of the user, who has not said it. */
function roleOf({ role, parts }: Message): string {
  return parts.length > 0 && parts.every(({ type }) => type === 'tool-result') ? 'tool' : role;
}

function wordsOf(part: Part): string {
  if ('text' in part) return part.text;
  if (part.type !== 'image' && part.type !== 'file') return mediaWords(dataOf(part));
  const { source } = part;
  return mediaWords(source.kind === 'url' ? source.url : source.kind === 'id' ? source.id : source.data);
}

function dataOf(part: Part): string {
  if (part.type === 'audio') return part.data;
  if (part.type !== 'image' && part.type !== 'file') return '';
  return part.source.kind === 'base64' ? part.source.data : '';
}
