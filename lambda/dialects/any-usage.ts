import { readUsage as readMessagesUsage } from './anthropic-messages/usage.ts';
import { readUsage as readConverseUsage } from './bedrock-converse/usage.ts';
import { readCohereUsage } from './cohere-chat/usage.ts';
import { decodeUsage as readGeminiUsage } from './gemini/usage.ts';
import { isObject, type JsonObject, parseJson, stringOrUndefined } from './json-value.ts';
import { readUsage as readChatUsage } from './openai-chat/usage.ts';
import { readResponsesUsage } from './openai-responses/usage.ts';
import { plainUsage, type Usage } from './usage.ts';

/** What an answer of unknown shape says of itself. */
export type SeenFacts = { usage?: Usage | undefined; responseModel?: string | undefined };

/**
 * Reads `usage`, `usageMetadata` or `meta` by the names of their fields, which tell the dialects apart. Undefined when no
 * tokens were counted.
 */
export function readAnyUsage(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const has = (...names: string[]) => names.some((name) => typeof usage[name] === 'number');
  if (has('promptTokenCount', 'candidatesTokenCount')) return readGeminiUsage(usage);
  if (has('inputTokens', 'outputTokens')) {
    const read = readConverseUsage({ usage });
    return read?.type === 'usage' ? read.usage : undefined;
  }
  if (has('cache_read_input_tokens', 'cache_creation_input_tokens')) return readMessagesUsage(usage);
  if (has('input_tokens', 'output_tokens')) return readResponsesUsage(usage);
  if (has('prompt_tokens', 'completion_tokens')) return readChatUsage(usage);
  if (has('total_tokens')) return plainUsage(Number(usage['total_tokens']));
  const counts = isObject(usage['tokens']) ? usage['tokens'] : usage['billed_units'];
  const counted =
    isObject(counts) && ['input_tokens', 'output_tokens'].some((name) => typeof counts[name] === 'number');
  return counted ? readCohereUsage(usage) : undefined;
}

/** What a whole JSON answer says of itself. */
export function readAnyFacts(answer: JsonObject): SeenFacts {
  const inner = isObject(answer['response']) ? answer['response'] : answer;
  const usage = [inner['usage'], inner['usageMetadata'], inner['meta']].map(readAnyUsage).find((one) => one);
  return { usage, responseModel: stringOrUndefined(inner['model']) ?? stringOrUndefined(inner['modelVersion']) };
}

const usageStart = /(?<!\\)"(?:usage|usageMetadata|meta)"\s*:\s*\{/g;

/**
 * What a piece of an answer says of itself, whatever stands around it: JSON, events, frames. Of several counts the last one
 * that says more than nothing is true, since streams count upwards; the input may have been told only by an earlier one.
 */
export function findAnyFacts(text: string): SeenFacts {
  let usage: Usage | undefined;
  // Objects within objects without end must not be read again and again.
  let budget = 8 * text.length;
  for (const match of text.matchAll(usageStart)) {
    const start = match.index + match[0].length - 1;
    const end = endOfObject(text, start);
    budget -= end - start;
    if (budget < 0) break;
    const found = readAnyUsage(parseJson(text.slice(start, end)));
    if (found) usage = laterUsage(usage, found);
  }
  const model = /(?<!\\)"(?:model|modelVersion)"\s*:\s*"([^"\\]{1,200})"/.exec(text)?.[1];
  return { usage, responseModel: model };
}

/** Anthropic's streams count the input at their beginning, and may leave it out at their end. */
export function laterUsage(earlier: Usage | undefined, later: Usage): Usage {
  if (!earlier || later.inputTokens > 0) return later;
  return { ...earlier, outputTokens: later.outputTokens, reasoningOutputTokens: later.reasoningOutputTokens };
}

/** The index behind the object that opens at `from`; strings are skipped. */
function endOfObject(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      at = endOfString(text, at);
      if (at < 0) return text.length;
    } else if (code === 123) depth++;
    else if (code === 125 && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92) at++;
    else if (code === 34) return at;
  }
  return -1;
}
