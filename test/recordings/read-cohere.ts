import { type Json, number, object, objects, text } from './json.ts';
import type { Frame } from './read-frames.ts';
import { type Choice, type Finish, inputOf, newChoice, type Reading, type Tokens } from './reading.ts';

const finishes: Record<string, Finish> = {
  MAX_TOKENS: 'length',
  ERROR_LIMIT: 'length',
  TOOL_CALL: 'tool_calls',
  ERROR_TOXIC: 'content_filter',
};

/** A whole answer of the second chat API. */
export function readCohere(body: Json): Reading {
  const choice = newChoice();
  const message = object(body['message']);
  choice.text = text(message['tool_plan']);
  for (const part of objects(message['content'])) addContent(choice, part);
  for (const call of objects(message['tool_calls'])) {
    const { name, arguments: written } = object(call['function']);
    choice.calls.push({ id: text(call['id']), name: text(name), input: inputOf(text(written)) });
  }
  return ended(choice, body);
}

/** The events of a stream. */
export function readCohereEvents(frames: readonly Frame[]): Reading {
  const choice = newChoice();
  const calls = new Map<unknown, { id: string; name: string; json: string }>();
  let end: Json = {};
  for (const { data } of frames) {
    const delta = object(data['delta']);
    const message = object(delta['message']);
    choice.text += text(message['tool_plan']);
    addContent(choice, object(message['content']));
    const called = object(message['tool_calls']);
    const { name, arguments: written } = object(called['function']);
    const known = calls.get(data['index']);
    if (data['type'] === 'tool-call-start') {
      calls.set(data['index'], { id: text(called['id']), name: text(name), json: text(written) });
    }
    if (data['type'] === 'tool-call-delta' && known) known.json += text(written);
    if (data['type'] === 'message-end') end = delta;
  }
  choice.calls = [...calls.values()].map(({ id, name, json }) => ({ id, name, input: inputOf(json) }));
  return ended(choice, end);
}

function addContent(choice: Choice, part: Json): void {
  choice.text += text(part['text']);
  choice.reasoning += text(part['thinking']);
}

function ended(choice: Choice, end: Json): Reading {
  const reason = text(end['finish_reason']);
  if (reason === 'ERROR' || reason === 'TIMEOUT') return { choices: [choice], error: { message: text(end['error']) } };
  if (reason) choice.finish = finishes[reason] ?? 'stop';
  return { choices: [choice], usage: tokens(object(end['usage'])) };
}

/** What the model saw, or what is billed where nothing else is said. */
function tokens(usage: Json): Tokens | undefined {
  const counted = object(usage['tokens'] ?? usage['billed_units']);
  if (Object.keys(counted).length === 0) return undefined;
  return {
    input: number(counted['input_tokens']),
    output: number(counted['output_tokens']),
    cached: number(usage['cached_tokens']),
    reasoning: number(counted['reasoning_tokens']),
  };
}
