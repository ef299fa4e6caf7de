import { isObject, type JsonObject } from '../json-value.ts';
import { mediaWords, type Need, openingOf, type RequestFacts } from '../request-facts.ts';

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
      mediaCharacters += inlineData(part).length;
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
    opening: openingOf(messages, roleOf, wordsOf),
    ...(body['models'] !== undefined && { models: body['models'] }),
    ...(body['provider'] !== undefined && { provider: body['provider'] }),
  };
}

/** What of a picture, a sound or a file stands in the body: a URL, which may hold the data itself, or base64. */
function inlineData({ image_url: image, input_audio: audio, file }: JsonObject): string {
  const data = [isObject(image) && image['url'], isObject(audio) && audio['data'], isObject(file) && file['file_data']];
  return data.find((one) => typeof one === 'string') || '';
}

function textsOf(metadata: unknown): Record<string, string> | undefined {
  if (!isObject(metadata)) return undefined;
  const texts = Object.entries(metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(texts);
}

const roleOf = (message: unknown) => (isObject(message) ? message['role'] : undefined);

function wordsOf(message: unknown): string[] {
  const content = isObject(message) ? message['content'] : undefined;
  if (typeof content === 'string') return [content];
  return Array.isArray(content) ? content.map(wordsOfPart) : [];
}

function wordsOfPart(part: unknown): string {
  if (!isObject(part)) return '';
  if (typeof part['text'] === 'string') return part['text'];
  const { file } = part;
  const uploaded = isObject(file) && typeof file['file_id'] === 'string' ? file['file_id'] : '';
  return mediaWords(inlineData(part).replace(/^data:[^,]{0,200},/, '') || uploaded);
}
