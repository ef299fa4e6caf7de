import type { ChatEvent, Citation, FinishReason } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

const finishReasons: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  eos_token: 'stop',
  stop_sequence: 'stop',
  length: 'length',
  model_length: 'length',
  max_tokens: 'length',
  tool_calls: 'tool_calls',
  tool_call: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
};

/** OpenAI's finish reason in unified words; what a vendor made up counts as `stop` and stays readable as native. */
export function finishEvent(choice: number, native: string): ChatEvent {
  return { type: 'finish', choice, reason: finishReasons[native] ?? 'stop', nativeReason: native };
}

/** The events of one choice's `delta` or `message`; both have the same fields, a delta holds pieces of them. */
export function contentEvents(choice: number, content: JsonObject): ChatEvent[] {
  const refusal = stringOrUndefined(content['refusal']);
  return [
    ...reasoningEvents(choice, content),
    ...textEvents(choice, content['content']),
    ...(refusal ? [{ type: 'refusal' as const, choice, text: refusal }] : []),
    ...toolEvents(choice, content),
    ...annotationEvents(choice, content['annotations']),
  ];
}

/** `reasoning_details` repeat the plain text and carry what it cannot, so they come first. */
function reasoningEvents(choice: number, content: JsonObject): ChatEvent[] {
  const details = Array.isArray(content['reasoning_details']) ? content['reasoning_details'].filter(isObject) : [];
  if (details.length === 0) {
    const text = stringOrUndefined(content['reasoning_content']) ?? stringOrUndefined(content['reasoning']);
    return text ? [{ type: 'reasoning', choice, text }] : [];
  }
  return details.flatMap((detail): ChatEvent[] => {
    const text = stringOrUndefined(detail['text']) ?? stringOrUndefined(detail['summary']);
    const signature = stringOrUndefined(detail['signature']);
    const redacted = stringOrUndefined(detail['data']);
    if (!text && !signature && !redacted) return [];
    return [
      {
        type: 'reasoning',
        choice,
        ...(text ? { text } : {}),
        ...(signature ? { signature } : {}),
        ...(redacted ? { redacted } : {}),
      },
    ];
  });
}

/** Text, or Mistral's list of parts, in which thoughts are lists themselves. */
function textEvents(choice: number, content: unknown): ChatEvent[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', choice, text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((part): ChatEvent[] => {
    if (part['type'] === 'thinking' && Array.isArray(part['thinking'])) {
      const text = part['thinking']
        .filter(isObject)
        .map((piece) => stringOrUndefined(piece['text']) ?? '')
        .join('');
      return text ? [{ type: 'reasoning', choice, text }] : [];
    }
    const text = stringOrUndefined(part['text']);
    return text ? [{ type: 'text', choice, text }] : [];
  });
}

function toolEvents(choice: number, content: JsonObject): ChatEvent[] {
  const calls = Array.isArray(content['tool_calls']) ? content['tool_calls'].filter(isObject) : [];
  const legacy = isObject(content['function_call']) ? [{ function: content['function_call'] }] : [];
  return [...calls, ...legacy].flatMap((call, position) => callEvents(choice, call, position));
}

/** A call is new where its name stands; vendors that send calls whole may leave out the index. */
function callEvents(choice: number, call: JsonObject, position: number): ChatEvent[] {
  const called = isObject(call['function']) ? call['function'] : {};
  const index = typeof call['index'] === 'number' ? call['index'] : position;
  const name = stringOrUndefined(called['name']);
  const written = called['arguments'];
  const text = isObject(written) ? JSON.stringify(written) : stringOrUndefined(written);
  const extra = isObject(call['extra_content']) ? call['extra_content']['google'] : undefined;
  const signature = isObject(extra) ? stringOrUndefined(extra['thought_signature']) : undefined;
  const id = stringOrUndefined(call['id']) ?? `call_${choice}_${index}`;
  return [
    ...(name ? [{ type: 'tool-call' as const, choice, index, id, name, ...(signature ? { signature } : {}) }] : []),
    ...(text ? [{ type: 'tool-arguments' as const, choice, index, text }] : []),
  ];
}

function annotationEvents(choice: number, annotations: unknown): ChatEvent[] {
  if (!Array.isArray(annotations)) return [];
  return annotations.filter(isObject).flatMap((annotation): ChatEvent[] => {
    const cited = isObject(annotation['url_citation']) ? annotation['url_citation'] : annotation;
    const url = stringOrUndefined(cited['url']);
    return url ? [{ type: 'citation', choice, citation: citationOf(url, cited) }] : [];
  });
}

function citationOf(url: string, cited: JsonObject): Citation {
  const title = stringOrUndefined(cited['title']);
  const { start_index: startIndex, end_index: endIndex } = cited;
  return {
    url,
    ...(title ? { title } : {}),
    ...(typeof startIndex === 'number' ? { startIndex } : {}),
    ...(typeof endIndex === 'number' ? { endIndex } : {}),
  };
}

/** Perplexity names its sources beside the choices, in every chunk anew. */
export function sourceEvents(body: JsonObject): ChatEvent[] {
  const results = Array.isArray(body['search_results']) ? body['search_results'].filter(isObject) : [];
  const urls = Array.isArray(body['citations']) ? body['citations'].filter((url) => typeof url === 'string') : [];
  const sources = results.length > 0 ? results : urls.map((url) => ({ url }));
  return sources.flatMap((source): ChatEvent[] => {
    const url = stringOrUndefined(source['url']);
    return url ? [{ type: 'citation', choice: 0, citation: citationOf(url, source) }] : [];
  });
}
