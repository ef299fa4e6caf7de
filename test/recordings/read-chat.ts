import { type Json, number, object, objects, text } from './json.ts';
import { errorMessage } from './read-error.ts';
import type { Frame } from './read-frames.ts';
import { type Choice, choiceAt, type Finish, inputOf, type Reading, type Tokens } from './reading.ts';

const finishes: Record<string, Finish> = {
  length: 'length',
  model_length: 'length',
  max_tokens: 'length',
  tool_calls: 'tool_calls',
  tool_call: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
};

/** A whole `chat.completion`. */
export function readCompletion(body: Json): Reading {
  return readFrames([{ event: '', data: body }], 'message');
}

/** The chunks of a stream. */
export function readChunks(frames: readonly Frame[]): Reading {
  return readFrames(frames, 'delta');
}

type Written = { id: string; name: string; pieces: string };

function readFrames(frames: readonly Frame[], field: 'message' | 'delta'): Reading {
  const reading: Reading = { choices: [] };
  const calls = new Map<string, Written>();
  for (const { event, data } of frames) {
    if (event === 'error' || data['error'] || data['object'] === 'error') {
      return { ...reading, error: { message: errorMessage(JSON.stringify(data)) } };
    }
    for (const [position, choice] of objects(data['choices']).entries()) {
      const index = typeof choice['index'] === 'number' ? choice['index'] : position;
      const known = choiceAt(reading, index);
      addContent(known, object(choice[field]));
      addCalls(calls, index, object(choice[field]));
      const finish = text(choice['finish_reason']) || text(object(choice['finish_details'])['type']);
      if (finish) known.finish = finishes[finish] ?? 'stop';
    }
    reading.usage = tokens(data['usage'] ?? object(data['x_groq'])['usage']) ?? reading.usage;
  }
  for (const [key, { id, name, pieces }] of calls) {
    choiceAt(reading, Number(key.split('/')[0])).calls.push({ id, name, input: inputOf(pieces) });
  }
  return reading;
}

function addContent(choice: Choice, content: Json): void {
  const parts = typeof content['content'] === 'string' ? [{ text: content['content'] }] : objects(content['content']);
  for (const part of parts) {
    choice.text += text(part['text']);
    choice.reasoning += objects((part as Json)['thinking'])
      .map((piece) => text(piece['text']))
      .join('');
  }
  const details = objects(content['reasoning_details']);
  choice.reasoning +=
    details.length > 0
      ? details.map((detail) => text(detail['text']) || text(detail['summary'])).join('')
      : text(content['reasoning_content']) || text(content['reasoning']);
  choice.refusal += text(content['refusal']);
  if (content['audio'] || objects(content['tool_calls']).some(({ custom }) => custom)) choice.ownKind = true;
}

function addCalls(calls: Map<string, Written>, choice: number, content: Json): void {
  const legacy = content['function_call'] ? [{ function: content['function_call'] }] : [];
  for (const [position, call] of [...objects(content['tool_calls']), ...objects(legacy)].entries()) {
    const key = `${choice}/${typeof call['index'] === 'number' ? call['index'] : position}`;
    const { name, arguments: written } = object(call['function']);
    const known = calls.get(key) ?? { id: '', name: '', pieces: '' };
    known.id ||= text(call['id']);
    known.name ||= text(name);
    known.pieces += typeof written === 'object' && written !== null ? JSON.stringify(written) : text(written);
    calls.set(key, known);
  }
}

/** xAI counts reasoning beside the completion, the others inside. */
function tokens(usage: unknown): Tokens | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const counted = object(usage);
  const input = number(counted['prompt_tokens']);
  const completion = number(counted['completion_tokens']);
  const reasoning = number(object(counted['completion_tokens_details'])['reasoning_tokens']);
  const isBeside = reasoning > 0 && number(counted['total_tokens']) === input + completion + reasoning;
  return {
    input,
    output: isBeside ? completion + reasoning : completion,
    cached:
      number(object(counted['prompt_tokens_details'])['cached_tokens']) || number(counted['prompt_cache_hit_tokens']),
    reasoning,
  };
}
