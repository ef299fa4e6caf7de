import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChatRequest, Message, Part } from '../../../lambda/dialects/chat-request.ts';
import type { EncodedRequest } from '../../../lambda/dialects/dialect.ts';
import { nextFetch } from '../../../lambda/dialects/replicate/prediction.ts';
import { replicateVendor } from '../../../lambda/dialects/replicate/replicate.ts';
import { aChatRequest, aUserMessage } from '../../support/chat-requests.ts';
import { decodedStream } from '../../support/vendor-streams.ts';

function encode(changes: Partial<ChatRequest>): EncodedRequest {
  return replicateVendor.encodeRequest(aChatRequest(changes), { model: 'meta/meta-llama-3-8b-instruct' });
}

function said(role: Message['role'], text: string): Message {
  return { role, parts: [{ type: 'text', text }] };
}

describe('requests to Replicate', () => {
  test('wait for a buffered answer, and ask for the stream of a streamed one', () => {
    expect(encode({})).toEqual({
      body: { version: 'meta/meta-llama-3-8b-instruct', input: { prompt: 'Hi' } },
      headers: { prefer: 'wait' },
      unsupported: [],
    });
    expect(encode({ stream: true })).toEqual({
      body: { version: 'meta/meta-llama-3-8b-instruct', input: { prompt: 'Hi' }, stream: true },
      unsupported: [],
    });
  });

  test('render a conversation as a transcript under a system prompt', () => {
    const messages = [
      said('system', 'Be brief.'),
      said('user', 'Hi'),
      said('assistant', 'Hello.'),
      said('developer', 'In French.'),
      said('user', 'Who\nare you?'),
    ];

    expect(encode({ messages }).body['input']).toEqual({
      system_prompt: 'Be brief.\n\nIn French.',
      prompt: 'User: Hi\n\nAssistant: Hello.\n\nUser: Who\nare you?\n\nAssistant:',
    });
  });

  test('let the model go on where the assistant has begun', () => {
    const messages = [aUserMessage('Count'), said('assistant', 'One, two,')];

    expect(encode({ messages }).body['input']).toEqual({ prompt: 'User: Count\n\nAssistant: One, two,' });
  });

  test('tell calls and results of tools in words', () => {
    const call: Part = { type: 'tool-call', id: 'c1', name: 'weather', arguments: '{"city":"Paris"}' };
    const result: Part = { type: 'tool-result', callId: 'c1', content: [{ type: 'text', text: '18 °C' }] };
    const messages: Message[] = [
      aUserMessage('Weather?'),
      { role: 'assistant', parts: [call] },
      { role: 'user', parts: [result] },
    ];

    expect(encode({ messages }).body['input']).toEqual({
      prompt: [
        'User: Weather?',
        'Assistant: Call of the tool weather (c1): {"city":"Paris"}',
        'User: Result of the tool (c1): 18 °C',
        'Assistant:',
      ].join('\n\n'),
    });
  });

  test('carry an image, sampling, limits and stop sequences', () => {
    const image: Part = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QUJD' } };

    const { body, unsupported } = encode({
      messages: [{ role: 'user', parts: [...aUserMessage('What?').parts, image] }],
      sampling: { temperature: 0.2, topP: 0.9, topK: 40, seed: 7, frequencyPenalty: 0.1, presencePenalty: 0.2 },
      maxOutputTokens: 99,
      stop: ['END', 'STOP'],
      extensions: { 'openai-chat': { min_tokens: 3 }, replicate: { prompt_template: '{prompt}' } },
    });

    expect(unsupported).toEqual([]);
    expect(body['input']).toEqual({
      ...{ prompt: 'What?', image: 'data:image/png;base64,QUJD', max_tokens: 99, stop_sequences: 'END,STOP', seed: 7 },
      ...{ temperature: 0.2, top_p: 0.9, top_k: 40, frequency_penalty: 0.1, presence_penalty: 0.2 },
      ...{ min_tokens: 3, prompt_template: '{prompt}' },
    });
  });

  test('name what Replicate has no place for', () => {
    const image: Part = { type: 'image', source: { kind: 'url', url: 'https://x.test/a.png' } };
    const audio: Part = { type: 'audio', format: 'wav', data: 'QUJD' };

    const { body, unsupported } = encode({
      messages: [{ role: 'user', parts: [...aUserMessage('Hi').parts, image, image, audio] }],
      tools: [{ name: 'weather' }],
      responseFormat: { type: 'json' },
      reasoning: { effort: 'low' },
      choices: 2,
      topLogprobs: 0,
      stop: ['a,b', 'END'],
      extensions: { 'openai-chat': { logit_bias: { 1: 2 } } },
    });

    expect(body['input']).toEqual({ prompt: 'Hi', image: 'https://x.test/a.png', stop_sequences: 'END' });
    expect([...unsupported].sort()).toEqual(
      [
        ...['image_url', 'input_audio', 'logit_bias', 'logprobs', 'n', 'reasoning_effort', 'response_format'],
        ...['stop', 'tools'],
      ].sort(),
    );
  });
});

const prediction = {
  id: 'p-1',
  model: 'meta/meta-llama-3-8b-instruct',
  status: 'succeeded',
  created_at: '2024-10-04T18:07:37.245Z',
  output: ['\n', 'Hello', ', you', ''],
  error: null,
  metrics: { predict_time: 0.3, input_token_count: 6, output_token_count: 3 },
  urls: { get: 'https://api.replicate.com/v1/predictions/p-1', stream: 'https://stream.replicate.com/v1/files/p-1' },
};
const start = {
  type: 'start',
  id: 'p-1',
  model: 'meta/meta-llama-3-8b-instruct',
  createdSeconds: 1_728_065_257,
};
const finish = { type: 'finish', choice: 0, reason: 'stop', nativeReason: 'succeeded' };

describe("Replicate's predictions", () => {
  test('put the pieces of their output together, and count tokens by their metrics', () => {
    expect(replicateVendor.decodeResponse(prediction)).toEqual([
      start,
      { type: 'text', choice: 0, text: '\nHello, you' },
      finish,
      {
        type: 'usage',
        usage: {
          ...{ inputTokens: 6, outputTokens: 3, cacheReadInputTokens: 0 },
          ...{ cacheCreationInputTokens: 0, reasoningOutputTokens: 0 },
        },
      },
    ]);
  });

  test('may put out one text', () => {
    const events = replicateVendor.decodeResponse({ ...prediction, output: 'Hello', metrics: {} });

    expect(events).toEqual([start, { type: 'text', choice: 0, text: 'Hello' }, finish]);
  });

  test.each([
    ['failed', 'out of memory', 'out of memory'],
    ['failed', null, 'The prediction has failed'],
    ['canceled', null, 'The prediction has been canceled'],
    ['aborted', null, 'The prediction has been aborted'],
    ['processing', null, 'The prediction has not ended'],
  ])('are an error when they are %s (%j)', (status, error, message) => {
    expect(replicateVendor.decodeResponse({ ...prediction, status, error })).toMatchObject([
      { type: 'error', error: { message, code: status } },
    ]);
  });

  test('lead to their stream, to themselves while they run, and nowhere when they ended', () => {
    const { get, stream } = prediction.urls;

    const itself = { url: get, accept: 'application/json', afterMs: 500 };
    for (const status of ['starting', 'processing', 'succeeded']) {
      expect(nextFetch({ ...prediction, status }, { stream: true })).toEqual({
        url: stream,
        accept: 'text/event-stream',
      });
    }
    expect(nextFetch({ ...prediction, status: 'processing' }, { stream: false })).toEqual(itself);
    expect(nextFetch({ ...prediction, status: 'processing', urls: { get } }, { stream: true })).toEqual(itself);
    expect(nextFetch({ ...prediction, status: 'failed' }, { stream: true })).toBeUndefined();
    expect(nextFetch(prediction, { stream: false })).toBeUndefined();
    expect(nextFetch({ ...prediction, status: 'starting', urls: null }, { stream: false })).toBeUndefined();
  });

  test('are refused with what was wrong', () => {
    const problem = {
      title: 'Input validation failed',
      detail: '- input: text is required\n',
      status: 422,
      invalid_fields: [{ type: 'required', field: 'input', description: 'text is required' }],
    };
    const error = {
      message: '- input: text is required',
      type: 'Input validation failed',
      param: 'input',
      code: '422',
    };

    expect(replicateVendor.decodeError(422, {}, JSON.stringify(problem))).toEqual(error);
    expect(replicateVendor.decodeResponse(problem)).toEqual([{ type: 'error', error }]);
    expect(replicateVendor.decodeError(502, {}, '<html>').message).toBeUndefined();
  });
});

const stream =
  ': hi\n\nevent: output\nid: 1:0\ndata: \n\nevent: output\nid: 1:1\ndata: Why\n\n' +
  'event: output\nid: 1:2\ndata:  did it\ndata: \ndata: go –\n\nevent: done\nid: 1:3\ndata: {}\n\n:408: 408 Request Timeout\n\n';

describe("Replicate's streams", () => {
  test('keep leading spaces and line ends of the text, at every split point of the bytes', async () => {
    const bytes = Buffer.from(stream);

    for (let at = 0; at <= bytes.length; at++) {
      expect(await decodedStream(replicateVendor, bytes.subarray(0, at), bytes.subarray(at))).toEqual([
        { type: 'start', id: undefined, model: undefined },
        { type: 'text', choice: 0, text: 'Why' },
        { type: 'text', choice: 0, text: ' did it\n\ngo –' },
        finish,
      ]);
    }
  });

  test('do not finish when they are cut', async () => {
    const bytes = Buffer.from(stream);
    const done = bytes.indexOf('{}');

    for (let length = 0; length <= done + 1; length++) {
      const events = await decodedStream(replicateVendor, bytes.subarray(0, length));
      expect(events.map(({ type }) => type)).not.toContain('finish');
    }
  });

  test.each([
    ['event: error\ndata: {"detail":"out of memory"}\n\n', 'out of memory'],
    ['event: error\ndata: out of memory\n\n', 'out of memory'],
    ['event: done\ndata: {"reason":"canceled"}\n\n', 'The prediction ended early: canceled'],
  ])('end with the error of %j', async (text, message) => {
    const events = await decodedStream(replicateVendor, 'event: output\ndata: a\n\n', text, stream);

    expect(events.slice(2)).toMatchObject([{ type: 'error', error: { message } }]);
  });

  test('and predictions never crash the decoder but with a clear error', async () => {
    const words = ['status', 'output', 'error', 'metrics', 'created_at', 'detail', 'title', 'urls', 'reason'];

    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...words), fc.jsonValue()), async (value) => {
        nextFetch(value, { stream: true });
        nextFetch(value, { stream: false });
        for (const event of ['output', 'error', 'done']) {
          await decodedStream(replicateVendor, `event: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
        }
        try {
          replicateVendor.decodeResponse(value);
        } catch (error) {
          expect((error as Error).message).toBe('The answer is no prediction');
        }
      }),
    );
  });
});
