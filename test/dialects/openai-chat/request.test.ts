import { describe, expect, test } from '@jest/globals';
import { decodeChatCall, forwardChatCall } from '../../../lambda/dialects/openai-chat/request.ts';
import { RequestProblem } from '../../../lambda/dialects/request-problem.ts';

const takesAll = { refusesStreamOptions: false, readsRoutingFields: true };
const messages = '"messages":[{"role":"user","content":"hi"}]';

function forward(text: string, model = 'm', options = takesAll): string {
  return forwardChatCall(decodeChatCall(text), model, options);
}

describe('decodeChatCall', () => {
  test.each([
    ['', null],
    [' \n', null],
    ['{', null],
    ['null', null],
    ['"text"', null],
    ['[]', null],
    ['{"model":7}', 'model'],
    ['{"model":{}}', 'model'],
    ['{}', 'messages'],
    ['{"messages":{}}', 'messages'],
    ['{"messages":[]}', 'messages'],
    [`{${messages},"stream":"true"}`, 'stream'],
    [`{${messages},"stream_options":[]}`, 'stream_options'],
    [`{${messages},"stream_options":true}`, 'stream_options'],
  ])('refuses %j', (text, param) => {
    const decoding = () => decodeChatCall(text);

    expect(decoding).toThrow(RequestProblem);
    expect(decoding).toThrow(expect.objectContaining({ param }));
  });

  test('says where the JSON breaks without quoting any of it', () => {
    const decoding = () => decodeChatCall('{"messages":[{"content":"canary" canary}]}');

    expect(decoding).toThrow(/not valid JSON \(at position 33\)/);
    expect(decoding).not.toThrow(/canary/);
  });

  test('takes null for what may be left out', () => {
    expect(decodeChatCall(`{"model":null,${messages},"stream":null,"stream_options":null}`)).toMatchObject({
      model: undefined,
      stream: false,
      wantsUsage: false,
    });
  });

  test.each(['""', '"  "'])('takes the model %s for none', (model) => {
    expect(decodeChatCall(`{"model":${model},${messages}}`).model).toBeUndefined();
  });
});

describe('forwardChatCall', () => {
  test('leaves the text of a buffered call alone when the model already has the right name', () => {
    const text = `{ "model" : "m", ${messages} }`;

    expect(forward(text)).toBe(text);
  });

  test.each([
    ['another occurrence that some parsers believe', '{"model":"other","model":"m",', '{"model":"m","model":"m",'],
    ['blanks around the name', '{"model":" m ",', '{"model":"m",'],
  ])('lets no provider see %s', (_, before, after) => {
    expect(forward(`${before}${messages}}`)).toBe(`${after}${messages}}`);
  });

  test('asks for usage in a stream, and leaves all else in the options as it was written', () => {
    const text = `{"model":"m",${messages},"stream":true,"stream_options":{ "seed": 12345678901234567890, "x":1.0,"include_usage":false}}`;

    expect(forward(text)).toBe(
      `{"model":"m",${messages},"stream":true,"stream_options":{ "seed": 12345678901234567890, "x":1.0,"include_usage":true}}`,
    );
  });

  test.each(['', ',"stream_options":null'])('asks for usage where the options are %j', (options) => {
    const sent = JSON.parse(forward(`{"model":"m",${messages},"stream":true${options}}`));

    expect(sent.stream_options).toEqual({ include_usage: true });
  });

  test('does not touch the options of a caller who asks for usage, or of a buffered call', () => {
    for (const rest of ['"stream":true,"stream_options":{ "include_usage" : true }', '"stream_options":{ "x" : 1 }']) {
      const text = `{"model":"m",${messages},${rest}}`;

      expect(forward(text)).toBe(text);
    }
  });

  test('takes the options away from a provider that refuses them', () => {
    const text = `{"model":"m",${messages},"stream":true,"stream_options":{"include_usage":true}}`;

    expect(forward(text, 'm', { refusesStreamOptions: true, readsRoutingFields: true })).toBe(
      `{"model":"m",${messages},"stream":true}`,
    );
  });

  test('copes with options nested deeper than any call stack', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const text = `{"model":"m",${messages},"stream":true,"stream_options":{"x":${deep}}}`;

    expect(forward(text)).toContain(`"x":${deep}`);
  });
});
