import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ModelConfig, type ProviderConfig, recordByName } from '../../lambda/config/snapshot.ts';
import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import { createGateway } from '../../lambda/gateway/gateway.ts';
import { nodeHttpServer } from '../../lambda/hosts/node-http.ts';
import { closedBreakers, coreDeps } from '../support/core.ts';
import { anthropicMessagesFixture } from '../support/dialect-fixtures/anthropic-messages.ts';
import { bedrockConverseFixture } from '../support/dialect-fixtures/bedrock-converse.ts';
import type { DialectFixture, WireAnswer } from '../support/dialect-fixtures/dialect-fixture.ts';
import { geminiFixture } from '../support/dialect-fixtures/gemini.ts';
import { openAiChatFixture } from '../support/dialect-fixtures/openai-chat.ts';
import { openAiResponsesFixture } from '../support/dialect-fixtures/openai-responses.ts';
import { answer, type Script, type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';
import {
  anthropicConversation,
  geminiConversation,
  openAiConversation,
  responsesConversation,
  type Talk,
  toolResult,
} from '../support/tool-conversations.ts';

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
  calls: [{ id: 'toolu_01AbCdEfGhIjKlMn', name: 'get_weather', arguments: '{"city":"Paris"}' }],
  finish: 'tool_calls',
  usage,
};
const textTurn: WireAnswer = { text: ['It is ', '20 degrees.'], calls: [], finish: 'stop', usage };

/** `maker` is whose signatures a vendor takes; undefined where it takes none. */
type Vendor = { type: string; model: string; maker: string | undefined; fixture: DialectFixture; fields?: object };
const vendors: Record<string, Vendor> = {
  gemini: { type: 'google-ai-studio', model: 'gemini-2.5-pro', maker: 'gemini', fixture: geminiFixture },
  vertex: { type: 'google-vertex-ai', model: 'gemini-3-pro', maker: 'gemini', fixture: geminiFixture },
  anthropic: { type: 'anthropic', model: 'claude-sonnet-4-5', maker: 'claude', fixture: anthropicMessagesFixture },
  bedrock: {
    type: 'aws-bedrock',
    model: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    maker: 'claude',
    fixture: bedrockConverseFixture,
    fields: { region: 'us-east-1' },
  },
  openai: { type: 'openai', model: 'gpt-5', maker: undefined, fixture: openAiChatFixture },
  openrouter: { type: 'openrouter', model: 'z-ai/glm', maker: 'openrouter', fixture: openAiChatFixture },
  mistral: { type: 'mistral', model: 'magistral', maker: undefined, fixture: openAiChatFixture },
};

const clients: Record<string, { dialect: DialectName; converse: typeof openAiConversation }> = {
  openai: { dialect: 'openai-chat', converse: openAiConversation },
  '@anthropic-ai/sdk': { dialect: 'anthropic-messages', converse: anthropicConversation },
  'openai (responses)': { dialect: 'openai-responses', converse: responsesConversation },
  '@google/genai': { dialect: 'gemini', converse: geminiConversation },
};

/** OpenAI speaks Responses with those who do. */
function fixtureFor(name: string, dialect: DialectName): DialectFixture {
  const isResponses = name === 'openai' && dialect === 'openai-responses';
  return isResponses ? openAiResponsesFixture : (vendors[name]?.fixture ?? openAiChatFixture);
}

const names = Object.keys(vendors);
const moves = names.flatMap((from) => names.map((to) => [from, to] as const));
const listening = new Map<string, ScriptedVendor>();
let talk: Omit<Talk, 'model'>;
let close = () => {};

beforeAll(async () => {
  for (const name of names) listening.set(name, await startScriptedVendor());
  const provider = (name: string): ProviderConfig => {
    const { type = '', fields = {} } = vendors[name] ?? {};
    return { type, baseUrl: listening.get(name)?.url ?? '', ...fields };
  };
  const moving = (...targets: readonly string[]): ModelConfig => ({
    targets: targets.map((name) => ({ provider: name, model: vendors[name]?.model ?? '', weight: 1 })),
    strategy: 'priority',
    fallbacks: [],
    timeouts: {},
    unsupportedParameters: 'drop',
  });
  const snapshot = aSnapshot({
    providers: recordByName(names.map((name) => [name, provider(name)])),
    models: recordByName(moves.map(([from, to]) => [`${from}-${to}`, from === to ? moving(from) : moving(from, to)])),
  });
  const newId = () => randomUUID().replaceAll('-', '');
  const core = coreDeps(snapshot, { newId, breakers: closedBreakers() });
  const server = nodeHttpServer(createGateway(core.deps));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  talk = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, apiKey: 'key' };
  close = () => {
    server.close().closeAllConnections();
    core.close();
  };
});
afterAll(async () => {
  close();
  await Promise.all([...listening.values()].map((vendor) => vendor.close()));
});

function streamed(fixture: DialectFixture, turn: WireAnswer): Script {
  const type = fixture.dialect.name === 'bedrock-converse' ? 'application/vnd.amazon.eventstream' : 'text/event-stream';
  // The SDK wants more of a streamed thought of Responses than the fixture has.
  const { reasoning: _, ...unthinking } = turn;
  const bytes = fixture.stream(fixture.dialect.name === 'openai-responses' ? unthinking : turn);
  return (_request, response: ServerResponse) =>
    void response.writeHead(200, { 'content-type': type }).end(Buffer.concat(bytes));
}

/** What the vendor that went on was sent for the second turn. */
async function secondTurn(client: string, from: string, to: string): Promise<string> {
  const { dialect, converse } = clients[client] ?? { dialect: 'openai-chat', converse: openAiConversation };
  const [first, second] = [listening.get(from), listening.get(to)];
  if (!first || !second) throw new Error('Nobody listens');
  const goesOn = streamed(fixtureFor(to, dialect), textTurn);
  first.next(streamed(fixtureFor(from, dialect), callTurn), ...(from === to ? [goesOn] : [answer(503, {})]));
  if (from !== to) second.next(goesOn);

  const { text } = await converse({ ...talk, model: `${from}-${to}` });

  expect(text).toBe('It is 20 degrees.');
  return second.seen.at(-1)?.text ?? '';
}

/** Bytes of redacted content and of Gemini's wrapped secrets are base64 within the body. */
function holds(text: string, secret: string): boolean {
  return text.includes(secret);
}

const withoutProcess = Object.keys(clients).filter((client) => client !== '@google/genai');

describe.each(withoutProcess)('a conversation of %s', (client) => {
  test.each(moves)('that begins at %s goes on at %s', async (from, to) => {
    const sent = await secondTurn(client, from, to);

    expect(sent).toContain(toolResult);
    expect(sent).toContain('get_weather');
    expect(holds(sent, 'sl1:') || holds(sent, 'c2x1aWNl')).toBe(false);
    const dialect = clients[client]?.dialect;
    const isUnmarked = fixtureFor(from, dialect ?? 'openai-chat').dialect.name === dialect;
    // Between caller and vendor of one dialect the bytes pass: nobody can have marked them.
    if (isUnmarked) return;
    const isSigned = !fixtureFor(from, dialect ?? 'openai-chat').lacks.includes('signatures');
    const returns = isSigned && vendors[from]?.maker !== undefined && vendors[from]?.maker === vendors[to]?.maker;
    expect(holds(sent, signature)).toBe(returns);
  });
});

test.each([
  ['gemini', 'anthropic'],
  ['anthropic', 'gemini'],
  ['anthropic', 'bedrock'],
  ['bedrock', 'vertex'],
  ['openrouter', 'gemini'],
])('a conversation of @google/genai that begins at %s goes on at %s', async (from, to) => {
  const sent = await secondTurn('@google/genai', from, to);

  expect(sent).toContain(toolResult);
  expect(holds(sent, 'sl1:') || holds(sent, 'c2x1aWNl')).toBe(false);
  if (from !== 'gemini') expect(holds(sent, signature)).toBe(vendors[from]?.maker === vendors[to]?.maker);
});

test('Mistral is sent ids that it takes, also by callers of its own dialect', async () => {
  const sent = JSON.parse(await secondTurn('openai', 'openai', 'mistral'));

  const [, turn, result] = sent.messages;
  expect(turn.tool_calls[0].id).toMatch(/^[a-zA-Z0-9]{9}$/);
  expect(result.tool_call_id).toBe(turn.tool_calls[0].id);
});
