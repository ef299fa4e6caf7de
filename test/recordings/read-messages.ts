import { type Json, number, object, objects, text } from './json.ts';
import type { Frame } from './read-frames.ts';
import { type Finish, inputOf, newChoice, type Reading, type Tokens } from './reading.ts';

const finishes: Record<string, Finish> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** A whole `message`. */
export function readMessage(body: Json): Reading {
  const choice = newChoice();
  for (const block of objects(body['content'])) {
    if (block['type'] === 'text') choice.text += text(block['text']);
    if (block['type'] === 'thinking') choice.reasoning += text(block['thinking']);
    if (block['type'] !== 'tool_use') continue;
    choice.calls.push({ id: text(block['id']), name: text(block['name']), input: block['input'] });
  }
  const reason = text(body['stop_reason']);
  if (reason) choice.finish = finishes[reason] ?? 'stop';
  return { choices: [choice], usage: tokens(object(body['usage'])) };
}

/** The events of a stream, put together to the message that they describe. */
export function readMessageEvents(frames: readonly Frame[]): Reading {
  let message: Json = {};
  let usage: Json = {};
  const blocks = new Map<unknown, Json>();
  for (const { data } of frames) {
    const delta = object(data['delta']);
    const block = blocks.get(data['index']);
    if (data['type'] === 'error') return { choices: [], error: { message: text(object(data['error'])['message']) } };
    if (data['type'] === 'message_start') message = object(data['message']);
    if (data['type'] === 'content_block_start')
      blocks.set(data['index'], { ...object(data['content_block']), json: '' });
    if (data['type'] === 'message_delta') message = { ...message, ...delta };
    if (data['type'] === 'content_block_delta' && block) addDelta(block, delta);
    const counted = { ...object(object(data['message'])['usage']), ...object(data['usage']) };
    usage = { ...usage, ...Object.fromEntries(Object.entries(counted).filter(([, count]) => count !== null)) };
  }
  const content = [...blocks.values()].map((block) => {
    const { json, ...rest } = block;
    return json ? { ...rest, input: inputOf(text(json)) } : rest;
  });
  return readMessage({ ...message, content, usage });
}

function addDelta(block: Json, delta: Json): void {
  if (delta['type'] === 'text_delta') block['text'] = text(block['text']) + text(delta['text']);
  if (delta['type'] === 'thinking_delta') block['thinking'] = text(block['thinking']) + text(delta['thinking']);
  if (delta['type'] === 'input_json_delta') block['json'] = text(block['json']) + text(delta['partial_json']);
}

function tokens(usage: Json): Tokens | undefined {
  if (Object.keys(usage).length === 0) return undefined;
  const cached = number(usage['cache_read_input_tokens']);
  return {
    input: number(usage['input_tokens']) + cached + number(usage['cache_creation_input_tokens']),
    output: number(usage['output_tokens']),
    cached,
    reasoning: number(object(usage['output_tokens_details'])['thinking_tokens']),
  };
}
