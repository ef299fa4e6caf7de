import { type Json, number, object, objects, text } from './json.ts';
import type { Frame } from './read-frames.ts';
import { type Choice, inputOf, newChoice, type Reading, type Tokens } from './reading.ts';

/** A whole `response`. */
export function readResponse(body: Json): Reading {
  return readOutput(body, objects(body['output']));
}

const ends = ['response.completed', 'response.incomplete', 'response.failed'];

/** The events of a stream: the items as each was done, and the last response for the rest. */
export function readResponseEvents(frames: readonly Frame[]): Reading {
  const events = frames.map(({ data }) => data);
  const failure = events.find(({ type }) => type === 'error');
  if (failure)
    return { choices: [], error: { message: text(object(failure['error'])['message'] ?? failure['message']) } };
  const items = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => object(item));
  const end = events.findLast(({ type }) => ends.includes(text(type)));
  const response = object(end?.['response']);
  return readOutput(response, items.length > 0 ? items : objects(response['output']));
}

function readOutput(response: Json, output: readonly Json[]): Reading {
  const choice = newChoice();
  for (const item of output) readItem(choice, item);
  const usage = tokens(response['usage']);
  const { status } = response;
  if (status === 'failed') return { choices: [choice], error: { message: text(object(response['error'])['message']) } };
  if (status === 'completed') choice.finish = choice.calls.length > 0 ? 'tool_calls' : 'stop';
  if (status === 'incomplete') {
    const { reason } = object(response['incomplete_details']);
    choice.finish = reason === 'content_filter' ? 'content_filter' : 'length';
  }
  return { choices: [choice], usage };
}

function readItem(choice: Choice, item: Json): void {
  const joined = (field: string, separator = '') =>
    objects(item[field])
      .map((part) => text(part['text']))
      .join(separator);
  if (item['type'] === 'custom_tool_call') choice.ownKind = true;
  // Parts of a summary are paragraphs.
  if (item['type'] === 'reasoning') choice.reasoning += joined('summary', '\n\n') || joined('content');
  if (item['type'] === 'function_call') {
    choice.calls.push({ id: text(item['call_id']), name: text(item['name']), input: inputOf(text(item['arguments'])) });
  }
  if (item['type'] !== 'message') return;
  choice.text += joined('content');
  choice.refusal += objects(item['content'])
    .map((part) => text(part['refusal']))
    .join('');
}

function tokens(usage: unknown): Tokens | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const counted = object(usage);
  return {
    input: number(counted['input_tokens']),
    output: number(counted['output_tokens']),
    cached: number(object(counted['input_tokens_details'])['cached_tokens']),
    reasoning: number(object(counted['output_tokens_details'])['reasoning_tokens']),
  };
}
