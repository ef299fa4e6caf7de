import { isObject, type JsonObject } from '../json-value.ts';
import { type Need, openingCharacters, type RequestFacts } from '../request-facts.ts';

const needsOfParts: ReadonlyMap<unknown, Need> = new Map([
  ['image_url', 'vision'],
  ['input_audio', 'audio'],
  ['file', 'files'],
]);

/** The facts of a chat request, read from its parsed body without decoding the rest. */
export function chatFacts(body: JsonObject, messages: readonly unknown[]): RequestFacts {
  const needs = new Set<Need>();
  const { tools, response_format: format, max_completion_tokens: limit, max_tokens: oldLimit, user } = body;
  if (Array.isArray(tools) && tools.length > 0) needs.add('tools');
  if (isObject(format) && format['type'] === 'json_schema') needs.add('jsonSchema');
  let mediaCharacters = 0;
  let mediaCount = 0;
  for (const message of messages) {
    const content = isObject(message) ? message['content'] : undefined;
    if (!Array.isArray(content)) continue;
    for (const part of content) {
      const need = isObject(part) ? needsOfParts.get(part['type']) : undefined;
      if (need === undefined) continue;
      needs.add(need);
      mediaCount++;
      mediaCharacters += inlineCharacters(part);
    }
  }
  const effort = body['reasoning_effort'];
  const maxOutputTokens = limit ?? oldLimit;
  return {
    needs: [...needs],
    thinks: (effort !== undefined && effort !== null && effort !== 'none') || isObject(body['reasoning']),
    maxOutputTokens: typeof maxOutputTokens === 'number' ? maxOutputTokens : undefined,
    mediaCharacters,
    mediaCount,
    user: typeof user === 'string' ? user : undefined,
    metadata: textsOf(body['metadata']),
    opening: openingOf(messages),
    ...(body['models'] !== undefined && { models: body['models'] }),
    ...(body['provider'] !== undefined && { provider: body['provider'] }),
  };
}

/** How much of the body the data of a part is: data URLs, base64. */
function inlineCharacters(part: JsonObject): number {
  const { image_url: image, input_audio: audio, file } = part;
  const data = [isObject(image) && image['url'], isObject(audio) && audio['data'], isObject(file) && file['file_data']];
  return data.reduce<number>((sum, one) => sum + (typeof one === 'string' ? one.length : 0), 0);
}

function textsOf(metadata: unknown): Record<string, string> | undefined {
  if (!isObject(metadata)) return undefined;
  const texts = Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}

/** The first instructions and the first words of the user. */
function openingOf(messages: readonly unknown[]): string {
  let opening = '';
  for (const message of messages) {
    if (!isObject(message) || message['role'] === 'assistant' || message['role'] === 'tool') continue;
    opening += `${textOf(message['content'])}\n`;
    if (message['role'] === 'user' || opening.length >= openingCharacters) break;
  }
  return opening.slice(0, openingCharacters);
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content.slice(0, openingCharacters);
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}
