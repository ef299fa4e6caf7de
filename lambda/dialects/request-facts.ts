import type { ChatRequest, Part } from './chat-request.ts';

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
  /** The beginning of the conversation, the same for all its turns. */
  opening: string;
  /** OpenRouter's `models` and `provider`, as the caller wrote them. */
  models?: unknown;
  provider?: unknown;
};

export type Need = 'tools' | 'vision' | 'audio' | 'files' | 'jsonSchema';

/** Enough to tell conversations apart. */
export const openingCharacters = 1_000;

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
  const first = (...roles: string[]) => messages.find(({ role }) => roles.includes(role))?.parts ?? [];
  const opening = [...first('system', 'developer'), ...first('user')].map((part) => ('text' in part ? part.text : ''));
  return {
    needs: [...needs],
    thinks: reasoning !== undefined && reasoning.effort !== 'none',
    maxOutputTokens: request.maxOutputTokens,
    mediaCharacters,
    mediaCount,
    user: request.user,
    metadata: request.metadata,
    opening: opening.join('\n').slice(0, openingCharacters),
  };
}

function dataOf(part: Part): string {
  if (part.type === 'audio') return part.data;
  if (part.type !== 'image' && part.type !== 'file') return '';
  return part.source.kind === 'base64' ? part.source.data : '';
}
