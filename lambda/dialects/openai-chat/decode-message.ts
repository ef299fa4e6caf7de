import type {
  CacheHint,
  MediaSource,
  Message,
  Part,
  ReasoningPart,
  ToolCallPart,
  ToolResultPart,
} from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';

/** Reads one message; `at` names it in error messages. A tool's result becomes a part of a user message. */
export function decodeMessage(message: unknown, at: string): Message {
  if (!isObject(message)) throw new RequestProblem(`${at} must be an object.`, at);
  const name = stringOrUndefined(message['name']);
  const named = name === undefined ? {} : { name };
  switch (message['role']) {
    case 'system':
    case 'developer':
    case 'user':
      return { role: message['role'], parts: decodeContent(message['content'], `${at}.content`), ...named };
    case 'assistant':
      return { role: 'assistant', parts: decodeAssistant(message, at), ...named };
    case 'tool':
    case 'function':
      return { role: 'user', parts: [decodeToolResult(message, at)] };
    default:
      throw new RequestProblem(`${at}.role must be system, developer, user, assistant or tool.`, `${at}.role`);
  }
}

function decodeContent(content: unknown, at: string): Part[] {
  if (content === undefined || content === null) return [];
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw new RequestProblem(`${at} must be a string or a list of parts.`, at);
  return content.map((part, index) => decodePart(part, `${at}[${index}]`));
}

function decodePart(part: unknown, at: string): Part {
  if (!isObject(part)) throw new RequestProblem(`${at} must be an object.`, at);
  const cache = cacheHint(part);
  const { type } = part;
  if (type === 'text' && typeof part['text'] === 'string') return { type: 'text', text: part['text'], ...cache };
  if (type === 'refusal' && typeof part['refusal'] === 'string') return { type: 'refusal', text: part['refusal'] };
  if (type === 'image_url') {
    const image = isObject(part['image_url']) ? part['image_url'] : { url: part['image_url'] };
    const detail = stringOrUndefined(image['detail']);
    return {
      type: 'image',
      source: mediaSource(image['url'], `${at}.image_url`),
      ...(detail ? { detail } : {}),
      ...cache,
    };
  }
  if (type === 'input_audio' && isObject(part['input_audio'])) {
    const { data, format } = part['input_audio'];
    return { type: 'audio', data: String(data), format: stringOrUndefined(format) ?? 'wav' };
  }
  if (type === 'file' && isObject(part['file'])) return { ...decodeFile(part['file'], at), ...cache };
  return decodeVendorsPart(part, at);
}

/** Parts that others write among OpenAI's: Mistral's thoughts, documents and bare audio, Perplexity's files. */
function decodeVendorsPart(part: JsonObject, at: string): Part {
  const { type, thinking, document_url: url, document_name: named, input_audio: audio } = part;
  if (type === 'thinking' && Array.isArray(thinking)) {
    const text = thinking.filter(isObject).map((piece) => stringOrUndefined(piece['text']) ?? '');
    return { type: 'reasoning', text: text.join('') };
  }
  if (type === 'document_url') {
    const name = stringOrUndefined(named);
    return { type: 'file', source: mediaSource(url, `${at}.document_url`), ...(name ? { name } : {}) };
  }
  if (type === 'file_url' && isObject(part['file_url'])) {
    return { type: 'file', source: mediaSource(part['file_url']['url'], `${at}.file_url`) };
  }
  if (type === 'input_audio' && typeof audio === 'string')
    return { type: 'audio', data: audio, format: audio.startsWith('UklGR') ? 'wav' : 'mp3' };
  throw new RequestProblem(`${at} has the unknown type ${JSON.stringify(String(type).slice(0, 50))}.`, at);
}

function decodeFile(file: JsonObject, at: string): Part {
  const name = stringOrUndefined(file['filename']);
  const id = stringOrUndefined(file['file_id']);
  const source: MediaSource = id ? { kind: 'id', id } : mediaSource(file['file_data'], `${at}.file.file_data`);
  return { type: 'file', source, ...(name ? { name } : {}) };
}

function mediaSource(url: unknown, at: string): MediaSource {
  if (typeof url !== 'string' || url === '') throw new RequestProblem(`${at} must hold a URL.`, at);
  const data = /^data:([^;,]*)(?:;[^;,]+)*;base64,/.exec(url);
  if (data)
    return { kind: 'base64', mediaType: data[1] || 'application/octet-stream', data: url.slice(data[0].length) };
  return { kind: 'url', url };
}

function decodeAssistant(message: JsonObject, at: string): Part[] {
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'].filter(isObject) : [];
  const legacy = isObject(message['function_call']) ? [{ id: 'call_0', function: message['function_call'] }] : [];
  const refusal = stringOrUndefined(message['refusal']);
  return [
    ...decodeReasoning(message),
    ...decodeContent(message['content'], `${at}.content`),
    ...(refusal ? [{ type: 'refusal' as const, text: refusal }] : []),
    ...[...calls, ...legacy].map((call, index) => decodeCall(call, `${at}.tool_calls[${index}]`)),
  ];
}

function decodeCall(call: JsonObject, at: string): ToolCallPart {
  const called = isObject(call['function']) ? call['function'] : {};
  const name = stringOrUndefined(called['name']);
  const id = stringOrUndefined(call['id']);
  if (!name || !id) throw new RequestProblem(`${at} needs an id and the name of its function.`, at);
  const extra = isObject(call['extra_content']) ? call['extra_content']['google'] : undefined;
  const signature = isObject(extra) ? stringOrUndefined(extra['thought_signature']) : undefined;
  const written =
    typeof called['arguments'] === 'string' ? called['arguments'] : JSON.stringify(called['arguments'] ?? {});
  return { type: 'tool-call', id, name, arguments: written || '{}', ...(signature ? { signature } : {}) };
}

/** OpenRouter's `reasoning_details`, which carry signatures; without them the plain text that others send. */
function decodeReasoning(message: JsonObject): ReasoningPart[] {
  const details = Array.isArray(message['reasoning_details']) ? message['reasoning_details'].filter(isObject) : [];
  if (details.length === 0) {
    const text = stringOrUndefined(message['reasoning_content']) ?? stringOrUndefined(message['reasoning']);
    return text ? [{ type: 'reasoning', text }] : [];
  }
  return details.map((detail) => {
    const signature = stringOrUndefined(detail['signature']);
    const redacted = stringOrUndefined(detail['data']);
    const id = stringOrUndefined(detail['id']);
    return {
      type: 'reasoning',
      text: stringOrUndefined(detail['text']) ?? stringOrUndefined(detail['summary']) ?? '',
      ...(signature ? { signature } : {}),
      ...(redacted ? { redacted } : {}),
      ...(id ? { id } : {}),
    };
  });
}

function decodeToolResult(message: JsonObject, at: string): ToolResultPart {
  const callId = stringOrUndefined(message['tool_call_id']) ?? (message['role'] === 'function' ? 'call_0' : undefined);
  if (!callId) throw new RequestProblem(`${at}.tool_call_id is missing.`, `${at}.tool_call_id`);
  const content = decodeContent(message['content'], `${at}.content`);
  const usable = content.filter((part) => part.type === 'text' || part.type === 'image' || part.type === 'file');
  const name = stringOrUndefined(message['name']);
  return { type: 'tool-result', callId, content: usable, ...(name ? { name } : {}), ...cacheHint(message) };
}

/** Anthropic's `cache_control`, which OpenRouter and others take on OpenAI's parts. */
export function cacheHint(part: object): { cache?: CacheHint } {
  const control = 'cache_control' in part ? part.cache_control : undefined;
  if (!isObject(control)) return {};
  const ttl = stringOrUndefined(control['ttl']);
  return { cache: ttl ? { ttl } : {} };
}
