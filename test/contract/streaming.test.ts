import { describe, expect, test } from '@jest/globals';
import { rawAwsFrame } from '../support/aws-frames.ts';
import { aChatRequest } from '../support/chat-requests.ts';
import { allClientDialects } from '../support/dialect-fixtures/all-clients.ts';
import type { WireAnswer } from '../support/dialect-fixtures/dialect-fixture.ts';
import { dialectFixtures } from '../support/dialect-fixtures/fixtures.ts';
import { answerScenarios } from '../support/dialect-fixtures/scenarios.ts';

const clients = await allClientDialects();
const context = {
  request: aChatRequest({ stream: true, includeUsage: true }),
  model: 'm',
  nowSeconds: 1_700_000_000,
  newId: (prefix: string) => `${prefix}1`,
};

const words = Array.from({ length: 40 }, (_unused, at) => `word-${at}. `);
const answer: WireAnswer = { ...answerScenarios[0]!.answer, text: words };

const pairs = dialectFixtures.flatMap((fixture) =>
  clients.map((client) => [fixture.dialect.name, client.name, fixture, client] as const),
);

test.each(pairs)(
  'a stream from %s to callers of %s is passed on event by event',
  async (_, _client, fixture, client) => {
    const stream = fixture.stream(answer);
    let read = 0;
    async function* vendor() {
      for (const event of stream) {
        read++;
        yield event;
      }
    }
    const written: { afterEvents: number; text: string }[] = [];
    for await (const text of client.encodeStream(fixture.dialect.decodeStream(vendor()), context)) {
      written.push({ afterEvents: read, text });
    }

    const late = words.filter((word) => {
      const saidIn = stream.findIndex((event) => Buffer.from(event).includes(word.trim()));
      const passedOn = written.find(({ text }) => text.includes(word.trim()))?.afterEvents ?? Number.POSITIVE_INFINITY;
      // One event may be held back, to see whether it is the last.
      return passedOn > saidIn + 2;
    });
    expect(late).toEqual([]);
  },
);

describe.each(dialectFixtures.map((fixture) => [fixture.dialect.name, fixture] as const))('%s', (name, { dialect }) => {
  test('holds no more than 1 MiB of an event that does not end', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x');
    let read = 0;
    async function* endless() {
      yield name === 'bedrock-converse'
        ? rawAwsFrame(Buffer.alloc(0), Buffer.alloc(2 ** 21)).subarray(0, 12)
        : Buffer.from('data: {"');
      for (;;) {
        read += piece.length;
        // A decoder that does not give up must fail, not hang.
        if (read > 2 ** 22) return;
        yield piece;
      }
    }

    const failures: unknown[] = [];
    try {
      for await (const event of dialect.decodeStream(endless())) if (event.type === 'error') failures.push(event.error);
    } catch (error) {
      failures.push(error);
    }

    expect(failures).toEqual([expect.objectContaining({ message: expect.stringMatching(/exceeds 1048576 bytes/) })]);
    expect(read).toBeLessThanOrEqual(2 ** 20 + 2 * piece.length);
  });
});
