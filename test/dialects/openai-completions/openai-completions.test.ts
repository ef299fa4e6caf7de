import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import OpenAI from 'openai';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import type { AnswerContext } from '../../../lambda/dialects/dialect.ts';
import { openAiCompletionsClient as client } from '../../../lambda/dialects/openai-completions/openai-completions.ts';
import { openAiResponsesVendor } from '../../../lambda/dialects/openai-responses/openai-responses.ts';
import { RequestProblem } from '../../../lambda/dialects/request-problem.ts';

const decode = (body: object) => client.decodeRequest({ model: 'm', ...body }, {});
const answerTo = (body: object): AnswerContext => ({
  request: decode({ prompt: 'hi', ...body }),
  model: 'm',
  nowSeconds: 1_700_000_000,
  newId: (prefix) => `${prefix}1`,
});

async function* inOrder<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

async function streamText(events: readonly ChatEvent[], body: object): Promise<string> {
  let text = '';
  for await (const piece of client.encodeStream(inOrder(events), answerTo(body))) text += piece;
  return text;
}

/** OpenAI's own SDK, which gets this text for an answer. */
function sdk(text: string, contentType: string): OpenAI {
  return new OpenAI({
    apiKey: 'none',
    fetch: async () => new Response(text, { headers: { 'content-type': contentType } }),
  });
}

const logprob = (token: string) => ({ token, logprob: -0.5, top_logprobs: [{ token, logprob: -0.5 }] });
const events: ChatEvent[] = [
  { type: 'start', id: 'v1', model: 'claude', createdSeconds: 5 },
  { type: 'reasoning', choice: 0, text: 'Hm.' },
  { type: 'text', choice: 0, text: 'Hel' },
  { type: 'logprobs', choice: 0, content: [logprob('Hel')] },
  { type: 'text', choice: 1, text: 'Hi' },
  { type: 'text', choice: 0, text: 'lo' },
  { type: 'logprobs', choice: 0, content: [logprob('lo')] },
  { type: 'finish', choice: 0, reason: 'length', nativeReason: undefined },
  { type: 'finish', choice: 1, reason: 'stop', nativeReason: undefined },
  {
    type: 'usage',
    usage: {
      inputTokens: 3,
      outputTokens: 4,
      cacheReadInputTokens: 0,
      cacheCreationInputTokens: 0,
      reasoningOutputTokens: 0,
    },
  },
];

describe('a request for a legacy completion', () => {
  test.each([['Say hi'], [['Say hi']]])('the prompt %j is what a user says', (prompt) => {
    const request = decode({ prompt, max_tokens: 5, n: 2, stop: '\n', logprobs: 2, seed: 1, temperature: 0 });

    expect(request).toMatchObject({
      messages: [{ role: 'user', parts: [{ type: 'text', text: 'Say hi' }] }],
      maxOutputTokens: 5,
      choices: 2,
      stop: ['\n'],
      topLogprobs: 2,
      sampling: { seed: 1, temperature: 0 },
    });
  });

  test('what only completions know is unsupported elsewhere, but for defaults', () => {
    const encode = (body: object) => openAiResponsesVendor.encodeRequest(decode(body), { model: 'm' }).unsupported;

    expect(encode({ prompt: 'a', suffix: 'b', echo: true, best_of: 3 })).toEqual(['suffix', 'echo', 'best_of']);
    expect(encode({ prompt: 'a', suffix: null, echo: false, best_of: 1 })).toEqual([]);
  });

  test.each([[undefined], [['a', 'b']], [[1, 2]], [[[1, 2]]], [[]], [7]])('refuses the prompt %j', (prompt) => {
    expect(() => decode({ prompt })).toThrow(RequestProblem);
  });

  test('random JSON is understood or refused with a reason', () => {
    const field = fc.constantFrom('prompt', 'stop', 'n', 'stream', 'stream_options', 'logprobs', 'suffix');

    fc.assert(
      fc.property(fc.dictionary(field, fc.jsonValue()), (body) => {
        try {
          decode(body);
        } catch (error) {
          expect(error).toBeInstanceOf(RequestProblem);
        }
      }),
    );
  });
});

describe('an answer as a legacy completion', () => {
  test("buffered: satisfies OpenAI's SDK", async () => {
    const body = JSON.stringify(client.encodeResponse(events, answerTo({})));
    const completion = await sdk(body, 'application/json').completions.create({ model: 'm', prompt: 'hi' });

    expect(completion).toMatchObject({
      id: 'v1',
      object: 'text_completion',
      created: 5,
      model: 'claude',
      choices: [
        {
          index: 0,
          text: 'Hello',
          finish_reason: 'length',
          logprobs: {
            tokens: ['Hel', 'lo'],
            token_logprobs: [-0.5, -0.5],
            top_logprobs: [{ Hel: -0.5 }, { lo: -0.5 }],
            text_offset: [0, 3],
          },
        },
        { index: 1, text: 'Hi', finish_reason: 'stop', logprobs: null },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    });
  });

  test("streamed: satisfies OpenAI's SDK, with usage for those who ask", async () => {
    const text = await streamText(events, { stream_options: { include_usage: true } });
    const stream = await sdk(text, client.streamContentType).completions.create({
      model: 'm',
      prompt: 'hi',
      stream: true,
    });
    const chunks: OpenAI.Completion[] = [];
    for await (const chunk of stream) chunks.push(chunk);

    const first = chunks.flatMap(({ choices }) => choices.filter(({ index }) => index === 0));
    expect(first.map((choice) => choice.text).join('')).toBe('Hello');
    expect(first.flatMap(({ logprobs }) => logprobs?.text_offset ?? [])).toEqual([0, 3]);
    expect(first.at(-1)?.finish_reason).toBe('length');
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 7 } });
    expect(await streamText(events, {})).not.toContain('usage');
  });

  test('cut stream: there is no end marker without a finish', async () => {
    expect(await streamText(events, {})).toMatch(/data: \[DONE\]\n\n$/);
    expect(await streamText(events.slice(0, 4), {})).not.toContain('[DONE]');
  });
});
