import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

/** What a caller saw of a streamed conversation in two turns with one tool call. */
export type Conversation = { call: { name: string; input: unknown }; pieces: number; text: string };

/** Where to talk to, with which key, and to which model. */
export type Talk = { url: string; apiKey: string; model: string };

const run = promisify(execFile);
export const question = 'How warm is it in Paris?';
export const schema = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] };
export const tool = { name: 'get_weather', description: 'The weather in a city.' };
const result = 'canary-result: 20 degrees';

/** The tool's result as every client below sends it, to be found in what the vendor gets. */
export const toolResult = result;

/** The official `openai` package on chat completions. */
export async function openAiConversation({ url, apiKey, model }: Talk): Promise<Conversation> {
  const client = new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
  const tools = [{ type: 'function' as const, function: { ...tool, parameters: schema } }];
  const first = await readChat(client, { model, tools, messages: [{ role: 'user', content: question }] });
  const [call] = first.message.tool_calls;
  if (!call) throw new Error('No call');
  const second = await readChat(client, {
    model,
    tools,
    messages: [
      { role: 'user', content: question },
      first.message,
      { role: 'tool', tool_call_id: call.id, content: result },
    ],
  });
  const { name, arguments: written } = call.function;
  return { call: { name, input: JSON.parse(written) }, pieces: second.pieces, text: second.message.content ?? '' };
}

type ChatCall = {
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
  extra_content?: unknown;
};
type ChatMessage = { role: 'assistant'; content: string | null; tool_calls: ChatCall[]; reasoning_details?: object[] };

/** Joins the pieces of a stream as OpenRouter's documentation says: details of one index are one. */
async function readChat(client: OpenAI, params: OpenAI.ChatCompletionCreateParamsNonStreaming) {
  const message: ChatMessage = { role: 'assistant', content: null, tool_calls: [] };
  const details: Record<string, unknown>[] = [];
  let pieces = 0;
  for await (const chunk of await client.chat.completions.create({ ...params, stream: true })) {
    const delta = (chunk.choices[0]?.delta ?? {}) as Record<string, never> & OpenAI.ChatCompletionChunk.Choice.Delta;
    if (delta.content) {
      pieces++;
      message.content = (message.content ?? '') + delta.content;
    }
    for (const { index, ...call } of delta.tool_calls ?? []) {
      const known = message.tool_calls[index];
      if (known) known.function.arguments += call.function?.arguments ?? '';
      else message.tool_calls[index] = structuredClone(call) as ChatCall;
    }
    for (const detail of (delta['reasoning_details'] ?? []) as Record<string, unknown>[]) {
      const known = details[0];
      if (known) Object.assign(known, detail, { text: `${known['text'] ?? ''}${detail['text'] ?? ''}` });
      else details.push({ ...detail });
    }
  }
  return { pieces, message: { ...message, ...(details.length > 0 ? { reasoning_details: details } : {}) } };
}

/** The official `@anthropic-ai/sdk`. */
export async function anthropicConversation({ url, apiKey, model }: Talk): Promise<Conversation> {
  const client = new Anthropic({ apiKey, baseURL: url, maxRetries: 0 });
  const tools = [{ ...tool, input_schema: schema }];
  const user = { role: 'user' as const, content: question };
  const first = await client.messages.stream({ model, max_tokens: 1000, tools, messages: [user] }).finalMessage();
  const call = first.content.find((block) => block.type === 'tool_use');
  if (!call) throw new Error('No call');
  let pieces = 0;
  const second = await client.messages
    .stream({
      model,
      max_tokens: 1000,
      tools,
      messages: [
        user,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: result }] },
      ],
    })
    .on('text', () => pieces++)
    .finalMessage();
  const text = second.content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  return { call: { name: call.name, input: call.input }, pieces, text };
}

/**
 * The official `@google/genai`, in a process of its own: it looks for Node's fetch dispatcher in the global scope, which
 * a test has only a copy of.
 */
export async function geminiConversation(talk: Talk): Promise<Conversation> {
  const { stdout } = await run(process.execPath, ['test/support/gemini-caller.ts', JSON.stringify(talk)]);
  return JSON.parse(stdout) as Conversation;
}

/** The official `openai` package on Responses. */
export async function responsesConversation({ url, apiKey, model }: Talk): Promise<Conversation> {
  const client = new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
  const tools = [{ type: 'function' as const, ...tool, parameters: schema, strict: false }];
  const shared = { model, tools, include: ['reasoning.encrypted_content' as const], store: false };
  const user = { role: 'user' as const, content: question };
  const first = await client.responses.stream({ ...shared, input: [user] }).finalResponse();
  const call = first.output.find((item) => item.type === 'function_call');
  if (!call) throw new Error('No call');
  let pieces = 0;
  const input = [
    user,
    ...first.output,
    { type: 'function_call_output' as const, call_id: call.call_id, output: result },
  ];
  const second = await client.responses
    .stream({ ...shared, input: input as OpenAI.Responses.ResponseInput })
    .on('response.output_text.delta', () => pieces++)
    .finalResponse();
  return { call: { name: call.name, input: JSON.parse(call.arguments) }, pieces, text: second.output_text };
}
