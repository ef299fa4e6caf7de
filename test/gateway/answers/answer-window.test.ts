import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answerWindow } from '../../../lambda/gateway/answers/answer-window.ts';
import { awsEvent } from '../../support/aws-frames.ts';

function factsOf(pieces: readonly Buffer[]) {
  const window = answerWindow();
  for (const piece of pieces) window.push(piece);
  return window.facts();
}

const filler = 'x'.repeat(50_000);
const event = (data: object) => `data: ${JSON.stringify(data)}\n\n`;

describe('what passes by', () => {
  test('is known wherever it is cut, and however much of it was let go', () => {
    const text = Buffer.from(
      event({ type: 'message_start', message: { model: 'claude', usage: { input_tokens: 9, output_tokens: 1 } } }) +
        event({ delta: filler }).repeat(6) +
        event({ type: 'message_delta', usage: { output_tokens: 5 } }),
    );
    const expected = { responseModel: 'claude', usage: expect.objectContaining({ inputTokens: 9, outputTokens: 5 }) };

    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 20 }), (cuts) => {
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.subarray(places[index], end));

        expect(factsOf(pieces)).toEqual(expected);
      }),
    );
    expect(factsOf([...text].map((byte) => Buffer.of(byte)))).toEqual(expected);
  });

  test('is known from the frames of AWS, too', () => {
    const frames = [
      awsEvent('contentBlockDelta', { delta: { text: 'hello' } }),
      awsEvent('metadata', { usage: { inputTokens: 7, outputTokens: 3, totalTokens: 10 } }),
    ];

    expect(factsOf(frames).usage).toMatchObject({ inputTokens: 7, outputTokens: 3 });
  });

  test('is nothing where nothing was counted', () => {
    expect(factsOf([])).toEqual({ usage: undefined, responseModel: undefined });
    expect(factsOf([Buffer.from([0, 255, 1])])).toEqual({ usage: undefined, responseModel: undefined });
  });

  test('costs little memory, and its end can be looked at', () => {
    const window = answerWindow();
    for (let pushed = 0; pushed < 2_000; pushed++) window.push(Buffer.from(filler));
    window.push(Buffer.from('the end'));

    expect(window.endHolds(/the end$/)).toBe(true);
    expect(window.facts().usage).toBeUndefined();
  });
});
