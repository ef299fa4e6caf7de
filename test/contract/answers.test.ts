import { describe, expect, test } from '@jest/globals';
import type { ChatEvent } from '../../lambda/dialects/chat-event.ts';
import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import { aChatRequest } from '../support/chat-requests.ts';
import { dialectFixtures } from '../support/dialect-fixtures/fixtures.ts';
import { translatingClients } from '../support/matrix/matrix.ts';
import { decodedStream } from '../support/vendor-streams.ts';

const start: ChatEvent = { type: 'start', id: 'answer-1', model: 'm-dated' };
const counted = { inputTokens: 20, outputTokens: 9, cacheReadInputTokens: 3, reasoningOutputTokens: 2 };
const usage: ChatEvent = { type: 'usage', usage: { ...counted, cacheCreationInputTokens: 0 } };
const stop: ChatEvent = { type: 'finish', choice: 0, reason: 'stop', nativeReason: undefined };
const called: ChatEvent = { ...stop, reason: 'tool_calls' };
const said = (text: string, choice = 0): ChatEvent => ({ type: 'text', choice, text });
const call = (index: number, signature?: string): ChatEvent => ({
  ...{ type: 'tool-call', choice: 0, index, id: `call_${index}`, name: `tool_${index}` },
  ...(signature ? { signature } : {}),
});
const piece = (index: number, text: string): ChatEvent => ({ type: 'tool-arguments', choice: 0, index, text });
const token = { token: 'Hi', logprob: -0.5, bytes: [72, 105], top_logprobs: [] };

/** What answers hold besides the scenarios of vendors, as events of the vocabulary. */
const answers = {
  citations: [
    ...[start, said('Paris is nice.')],
    { type: 'citation', choice: 0, citation: { url: 'https://a.example/', title: 'A', startIndex: 0, endIndex: 14 } },
    ...[stop, usage],
  ],
  refusals: [
    start,
    { type: 'refusal', choice: 0, text: 'I can ' },
    { type: 'refusal', choice: 0, text: 'not.' },
    stop,
    usage,
  ],
  logprobs: [start, said('Hi'), { type: 'logprobs', choice: 0, content: [token] }, stop, usage],
  'several choices': [
    start,
    said('a', 0),
    said('b', 1),
    said('A', 0),
    stop,
    { ...stop, choice: 1, reason: 'length' },
    usage,
  ],
  'calls whose arguments alternate': [
    ...[start, call(0), call(1), piece(1, '{"b":'), piece(0, '{"a":1}'), piece(1, '2}'), called, usage],
  ],
  'signed calls': [start, call(0, 'c2lnbmVk'), piece(0, '{}'), called, usage],
  'encrypted thoughts': [start, { type: 'reasoning', choice: 0, redacted: 'ZW5jcnlwdGVk' }, said('Hi'), stop, usage],
  'signed thoughts': [
    ...[start, { type: 'reasoning', choice: 0, text: 'hm' }, { type: 'reasoning', choice: 0, signature: 'c2lnbmVk' }],
    ...[said('Hi'), stop, usage],
  ],
  'stop sequences': [start, said('Hi'), { ...stop, stopSequence: 'END' }, usage],
  'service tiers': [start, said('Hi'), stop, { ...usage, serviceTier: 'priority' }],
  'tokens written to a cache': [
    start,
    said('Hi'),
    stop,
    { type: 'usage', usage: { ...counted, cacheCreationInputTokens: 5 } },
  ],
} as const satisfies Record<string, readonly ChatEvent[]>;

type Held = keyof typeof answers;

/**
 * What a dialect has no words for: its callers read refusals as text, and signatures and secrets without a place travel in
 * wrappers of the gateway, which the tests of the dialects unwrap.
 */
const wordless: Readonly<Partial<Record<DialectName, readonly Held[]>>> = {
  'openai-chat': ['stop sequences'],
  'openai-responses': ['several choices', 'stop sequences', 'signed calls', 'encrypted thoughts'],
  'anthropic-messages': ['several choices', 'logprobs', 'refusals', 'signed calls'],
  gemini: ['refusals', 'stop sequences', 'tokens written to a cache'],
};

/** Everything in an answer, whatever pieces it came in. */
function folded(events: readonly ChatEvent[]) {
  const parts = new Map<string, string>();
  const add = (key: string, text = '') => parts.set(key, (parts.get(key) ?? '') + text);
  for (const event of events) {
    if (event.type === 'text' || event.type === 'refusal') add(`${event.choice} ${event.type}`, event.text);
    else if (event.type === 'reasoning') {
      for (const field of ['text', 'signature', 'redacted'] as const)
        if (event[field]) add(`${event.choice} thought ${field}`, event[field]);
    } else if (event.type === 'tool-call')
      add(`${event.choice} call ${event.index} ${event.id} ${event.name}`, event.signature);
    else if (event.type === 'tool-arguments') add(`${event.choice} arguments ${event.index}`, event.text);
    else if (event.type === 'citation') add(`${event.choice} source`, `${event.citation.url} ${event.citation.title}`);
    else if (event.type === 'logprobs') add(`${event.choice} logprobs`, JSON.stringify(event.content));
    else if (event.type === 'finish') add(`${event.choice} finish`, `${event.reason} ${event.stopSequence ?? ''}`);
    else if (event.type === 'usage')
      add('usage', `${JSON.stringify(event.usage, Object.keys(event.usage).sort())} ${event.serviceTier ?? ''}`);
  }
  return Object.fromEntries(parts);
}

const context = {
  request: aChatRequest({ includeUsage: true, choices: 2, topLogprobs: 0 }),
  model: 'm',
  nowSeconds: 1_700_000_000,
  newId: (prefix: string) => `${prefix}1`,
};

async function* each(events: readonly ChatEvent[]): AsyncGenerator<ChatEvent> {
  yield* events;
}

for (const client of await translatingClients()) {
  const vendor = dialectFixtures.find(({ dialect }) => dialect.name === client.name)?.dialect;
  const held = (Object.keys(answers) as Held[]).filter((name) => !wordless[client.name]?.includes(name));

  describe(`an answer in ${client.name}`, () => {
    test.each(held)('holds %s, whole and streamed', async (name) => {
      const events: readonly ChatEvent[] = answers[name];
      const pieces: string[] = [];
      for await (const text of client.encodeStream(each(events), context)) pieces.push(text);
      const body = JSON.parse(JSON.stringify(client.encodeResponse(events, context)));

      expect(folded(await decodedStream(vendor!, pieces.join('')))).toEqual(folded(events));
      expect(folded(vendor!.decodeResponse(body))).toEqual(folded(events));
    });
  });
}
