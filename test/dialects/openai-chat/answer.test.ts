import { describe, expect, test } from '@jest/globals';
import { holdsFacts, readChatAnswer, readChatEvent } from '../../../lambda/dialects/openai-chat/answer.ts';

function delta(fields: object): string {
  return `data: ${JSON.stringify({ choices: [{ index: 0, delta: fields, finish_reason: null }] })}\n\n`;
}

describe('readChatEvent', () => {
  test.each([
    ['text', { content: 'a' }],
    ['a blank', { content: ' ' }],
    ['parts of content', { content: [{ type: 'thinking', thinking: [] }] }],
    ['reasoning of DeepSeek', { content: null, reasoning_content: 'a' }],
    ['reasoning of Groq', { reasoning: 'a' }],
    ['reasoning details', { content: '', reasoning_details: [{ type: 'reasoning.text' }] }],
    ['a refusal', { refusal: 'no' }],
    ['a tool call', { tool_calls: [{ index: 0 }] }],
    ['a function call', { function_call: { name: 'f' } }],
    ['audio', { audio: { id: 'a' } }],
    ['an image', { content: '', images: [{ type: 'image_url' }] }],
  ])('takes %s for content', (_, fields) => {
    expect(readChatEvent(delta(fields)).content).toBe(true);
  });

  test.each([
    ['a role', delta({ role: 'assistant', content: '', refusal: null })],
    ['nulls', delta({ content: null, tool_calls: null, reasoning_content: null, audio: null })],
    ['an empty list of tool calls', delta({ tool_calls: [] })],
    ['filter results alone', 'data: {"choices":[],"prompt_filter_results":[{}],"model":""}\n\n'],
    ['a comment', ': OPENROUTER PROCESSING\n\n'],
    ['an unknown event', 'event: ping\ndata: {}\n\n'],
    ['nothing', '\n\n'],
  ])('does not take %s for content', (_, text) => {
    expect(readChatEvent(text)).toMatchObject({ content: false, done: false, usageOnly: false });
  });

  test.each(['data: hello\n\n', 'data: {"choices":[{"delta":{"content":"wor\n\n'])('takes %j for broken', (text) => {
    expect(() => readChatEvent(text)).toThrow('An event of the stream is not JSON');
  });

  test.each(['data: [DONE]\n\n', 'data:[DONE]\r\n\r\n', 'data: [DONE]'])('knows the end marker %j', (text) => {
    expect(readChatEvent(text).done).toBe(true);
  });

  test.each([
    ['data: {"error":{"message":"melted","code":502},"choices":[]}\n\n', 'melted'],
    ['event: error\ndata: {"error":{"message":"melted"}}\n\n', 'melted'],
    ['event: error\ndata: {"message":"melted"}\n\n', 'melted'],
    ['event: error\ndata: melted\n\n', undefined],
    ['data: {"error":"melted"}\n\n', 'melted'],
    ['data: {"object":"error","message":"melted","code":40303}\n\n', 'melted'],
  ])('sees the failure in %j', (text, message) => {
    expect(readChatEvent(text).error).toMatchObject({ message });
    expect(holdsFacts(text)).toBe(true);
  });

  test('sees no failure where the error is null', () => {
    expect(readChatEvent('data: {"error":null,"choices":[]}\n\n').error).toBeUndefined();
  });

  test('takes only an event without choices for one that merely reports usage', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
    const read = (body: object) => readChatEvent(`data: ${JSON.stringify(body)}\n\n`);

    expect(read({ choices: [], usage })).toMatchObject({ usageOnly: true, usage: { outputTokens: 2 } });
    expect(read({ choices: [], usage: null }).usageOnly).toBe(false);
    expect(read({ choices: [{ delta: { content: '' }, finish_reason: 'stop' }], usage })).toMatchObject({
      usageOnly: false,
      usage: { outputTokens: 2 },
      finishReason: 'stop',
    });
    expect(read({ choices: [{ delta: {} }], x_groq: { usage } }).usage).toMatchObject({ inputTokens: 1 });
  });
});

describe('holdsFacts', () => {
  test('is not misled by text that talks of usage, errors and ends', () => {
    expect(holdsFacts(delta({ content: '"usage": {"error" "finish_reason":"stop"' }))).toBe(false);
  });
});

describe('readChatAnswer', () => {
  test.each(['', '<html></html>', '[]', '{}', '{"choices":{}}', '{"id":"x"}', 'null'])(
    'sees no answer in %j',
    (text) => {
      expect(readChatAnswer(text)).toBeUndefined();
    },
  );

  test('reads what was counted and how it ended', () => {
    const usage = {
      prompt_tokens: 49,
      completion_tokens: 32,
      total_tokens: 264,
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 183 },
    };

    const facts = readChatAnswer(JSON.stringify({ model: 'g', choices: [{ finish_reason: 'length' }], usage }));

    expect(facts).toMatchObject({
      responseModel: 'g',
      finishReason: 'length',
      // The total says that reasoning is not part of the completion here, as with xAI.
      usage: { inputTokens: 49, outputTokens: 215, cacheReadInputTokens: 8, reasoningOutputTokens: 183 },
    });
  });

  test.each([
    [{ prompt_tokens: -1, completion_tokens: '7', total_tokens: null }, 0],
    [{ completion_tokens: Number.MAX_VALUE * 2 }, 0],
  ])('counts nothing from %j', (usage, outputTokens) => {
    expect(readChatAnswer(JSON.stringify({ choices: [], usage }))?.usage?.outputTokens).toBe(outputTokens);
  });
});
