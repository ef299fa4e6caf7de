import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withoutSecrets } from '../../../lambda/gateway/answers/without-secrets.ts';

/** Begins with what it ends with, so that its beginning is met within it too. */
const secret = 'abab-secret-abab';

async function* cut(text: string, at: number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  const cuts = [0, ...at.map((share) => share % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let i = 1; i < cuts.length; i++) yield bytes.subarray(cuts[i - 1], cuts[i]);
}

async function collected(pieces: AsyncIterator<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = [];
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) all.push(next.value);
  return all;
}

describe('what passes by without its secrets', () => {
  test('is what it was with a mask in their place, wherever it is cut', async () => {
    const parts = fc.array(fc.constantFrom(secret, 'a', 'ab', 'abab-secret', 'é☃', ' '), { maxLength: 12 });
    const cuts = fc.array(fc.nat(), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(parts, cuts, async (texts, at) => {
        const text = texts.join('');
        const passed = Buffer.concat(await collected(withoutSecrets(cut(text, at), [secret, secret])));
        expect(passed.toString('utf8')).toBe(text.replaceAll(secret, '***'));
      }),
    );
  });

  test('waits for nothing but what may be the rest of one', async () => {
    const pieces = [...'ab'].map((letter) => Buffer.from(`data: ${letter}\n\n`));
    async function* events() {
      yield* pieces;
    }

    expect(await collected(withoutSecrets(events(), [secret]))).toEqual(pieces);
  });

  test('keeps words that only stand for a key', async () => {
    const passed = await collected(withoutSecrets(cut('{"model":"ollama/llama"}', []), ['ollama', '']));

    expect(Buffer.concat(passed).toString()).toBe('{"model":"ollama/llama"}');
  });
});
