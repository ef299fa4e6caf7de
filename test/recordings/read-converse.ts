import { type Json, number, object, objects, text } from './json.ts';
import type { Frame } from './read-frames.ts';
import { type Finish, inputOf, newChoice, type Reading, type Tokens } from './reading.ts';

const finishes: Record<string, Finish> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  guardrail_intervened: 'content_filter',
  content_filtered: 'content_filter',
};

/** What Bedrock runs by itself. */
const serverTool = 'server_tool_use';

/** A whole answer of Converse. */
export function readConverse(body: Json): Reading {
  const choice = newChoice();
  for (const block of objects(object(object(body['output'])['message'])['content'])) {
    choice.text += text(block['text']);
    choice.text += objects(object(block['citationsContent'])['content'])
      .map((part) => text(part['text']))
      .join('');
    choice.reasoning += text(object(object(block['reasoningContent'])['reasoningText'])['text']);
    const { toolUseId, name, input, type } = object(block['toolUse']);
    if (!toolUseId || type === serverTool) continue;
    choice.calls.push({ id: text(toolUseId), name: text(name), input: input ?? {} });
  }
  const reason = text(body['stopReason']);
  if (reason) choice.finish = finishes[reason] ?? 'stop';
  return { choices: [choice], usage: tokens(body['usage']) };
}

/** The frames of ConverseStream. */
export function readConverseFrames(frames: readonly Frame[]): Reading {
  const choice = newChoice();
  const calls = new Map<unknown, { id: string; name: string; json: string }>();
  let usage: Tokens | undefined;
  for (const { event, data } of frames) {
    const delta = object(data['delta']);
    const begun = object(object(data['start'])['toolUse']);
    const index = data['contentBlockIndex'];
    if (event.endsWith('Exception')) return { choices: [], error: { message: text(data['message']) } };
    choice.text += text(delta['text']);
    choice.reasoning += text(object(delta['reasoningContent'])['text']);
    if (begun['toolUseId'] && begun['type'] !== serverTool)
      calls.set(index, { id: text(begun['toolUseId']), name: text(begun['name']), json: '' });
    const call = calls.get(index);
    if (call) call.json += text(object(delta['toolUse'])['input']);
    if (data['stopReason']) choice.finish = finishes[text(data['stopReason'])] ?? 'stop';
    usage = tokens(data['usage']) ?? usage;
  }
  choice.calls = [...calls.values()].map(({ id, name, json }) => ({ id, name, input: inputOf(json) }));
  return { choices: [choice], usage };
}

function tokens(usage: unknown): Tokens | undefined {
  if (typeof usage !== 'object' || usage === null) return undefined;
  const counted = object(usage);
  const cached = number(counted['cacheReadInputTokens']);
  return {
    input: number(counted['inputTokens']) + cached + number(counted['cacheWriteInputTokens']),
    output: number(counted['outputTokens']),
    cached,
    reasoning: 0,
  };
}
