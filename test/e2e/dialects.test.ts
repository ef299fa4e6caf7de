import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { anthropicMessagesFixture } from '../support/dialect-fixtures/anthropic-messages.ts';
import { bedrockConverseFixture } from '../support/dialect-fixtures/bedrock-converse.ts';
import { cohereChatFixture } from '../support/dialect-fixtures/cohere-chat.ts';
import type { DialectFixture, WireAnswer } from '../support/dialect-fixtures/dialect-fixture.ts';
import { geminiFixture } from '../support/dialect-fixtures/gemini.ts';
import { openAiChatFixture } from '../support/dialect-fixtures/openai-chat.ts';
import { startStackGateway } from '../support/local-stack-gateway.ts';
import { type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import type { RunningGateway } from '../support/serve-process.ts';
import {
  anthropicConversation,
  geminiConversation,
  openAiConversation,
  responsesConversation,
  toolResult,
} from '../support/tool-conversations.ts';

const apiKey = 'sk-of-a-caller';
const signature = 'c2lnbmF0dXJlLW9mLXRoZS1tb2RlbA==';
const usage = {
  inputTokens: 9,
  outputTokens: 4,
  cacheReadInputTokens: 0,
  cacheCreationInputTokens: 0,
  reasoningOutputTokens: 0,
};
const callTurn: WireAnswer = {
  reasoning: { pieces: ['I must ', 'look.'], signature },
  text: [],
  calls: [{ id: 'call_abc', name: 'get_weather', arguments: '{"city":"Paris"}' }],
  finish: 'tool_calls',
  usage,
};
const textTurn: WireAnswer = { text: ['It is ', '20 degrees.'], calls: [], finish: 'stop', usage };

type Vendor = { fixture: DialectFixture; provider: object; contentType: string };
const sse = 'text/event-stream';
const vendors: Record<string, Vendor> = {
  anthropic: { fixture: anthropicMessagesFixture, provider: { type: 'anthropic' }, contentType: sse },
  gemini: { fixture: geminiFixture, provider: { type: 'google-ai-studio' }, contentType: sse },
  bedrock: {
    fixture: bedrockConverseFixture,
    provider: { type: 'aws-bedrock', region: 'us-east-1' },
    contentType: 'application/vnd.amazon.eventstream',
  },
  cohere: { fixture: cohereChatFixture, provider: { type: 'cohere' }, contentType: sse },
  compatible: { fixture: openAiChatFixture, provider: { type: 'openai-compatible' }, contentType: sse },
};
const clients = {
  openai: openAiConversation,
  '@anthropic-ai/sdk': anthropicConversation,
  '@google/genai': geminiConversation,
  'openai (responses)': responsesConversation,
};

let gateway: RunningGateway;
const listening = new Map<string, ScriptedVendor>();

beforeAll(async () => {
  const names = Object.keys(vendors);
  for (const name of names) listening.set(name, await startScriptedVendor());
  const entries = (make: (name: string) => unknown) => Object.fromEntries(names.map((name) => [name, make(name)]));
  gateway = await startStackGateway({
    apiKey,
    config: {
      providers: entries((name) => ({ ...vendors[name]?.provider, baseUrl: listening.get(name)?.url })),
      models: entries((name) => ({
        targets: [`${name}/${vendors[name]?.fixture.target.model}`],
        unsupportedParameters: 'drop',
      })),
      secrets: entries((name) => `secret-of-${name}`),
    },
  });
}, 60_000);

afterAll(async () => {
  await gateway?.close();
  await Promise.all([...listening.values()].map((vendor) => vendor.close()));
});

function streamed({ fixture, contentType }: Vendor, answer: WireAnswer) {
  const lacksReasoning = fixture.lacks.includes('reasoning');
  const { reasoning, ...plain } = answer;
  const pieces = fixture.stream(lacksReasoning || !reasoning ? plain : answer);
  return async (_: unknown, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': contentType });
    for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
    response.end();
  };
}

describe.each(Object.entries(clients))('%s', (_, converse) => {
  test.each(Object.entries(vendors))('holds a streamed conversation with a tool against %s', async (name, vendor) => {
    const listener = listening.get(name);
    if (!listener) throw new Error(`${name} does not listen`);
    listener.seen.length = 0;
    listener.next(streamed(vendor, callTurn), streamed(vendor, textTurn));

    const { call, pieces, text } = await converse({ url: gateway.url, apiKey, model: name });

    expect(call).toEqual({ name: 'get_weather', input: { city: 'Paris' } });
    expect(text).toBe('It is 20 degrees.');
    expect(pieces).toBe(2);
    const [, second] = listener.seen;
    expect(second?.text).toContain(toolResult);
    expect(second?.text).toContain('get_weather');
    const keepsSignatures = !vendor.fixture.lacks.includes('signatures') && !vendor.fixture.lacks.includes('reasoning');
    if (keepsSignatures) expect(second?.text).toContain(signature);
  });
});
