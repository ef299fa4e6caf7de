import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isObject, parseJson } from '../../lambda/dialects/json-value.ts';
import { vendorDialects } from '../../lambda/dialects/vendor-dialects.ts';
import { aUserMessage } from '../support/chat-requests.ts';
import type { DialectFixture, Lack, WireAnswer } from '../support/dialect-fixtures/dialect-fixture.ts';
import { dialectFixtures } from '../support/dialect-fixtures/fixtures.ts';
import { answerScenarios, requestScenarios } from '../support/dialect-fixtures/scenarios.ts';
import { distorted, distortedEvent, strangers } from '../support/distorted.ts';
import { answeredMessage, type FoldedAnswer, foldAnswer } from '../support/folded-answer.ts';
import { decodedStream } from '../support/vendor-streams.ts';

const named = dialectFixtures.map((fixture) => [fixture.dialect.name, fixture] as const);

test('the contract covers every dialect that vendors speak, as the gateway loads it', async () => {
  const loaded = Object.entries(vendorDialects).map(async ([name, load]) => [name, await load()]);

  expect(Object.fromEntries(await Promise.all(loaded))).toEqual(
    Object.fromEntries(dialectFixtures.map(({ dialect }) => [dialect.name, dialect])),
  );
});

/** What every dialect must make of the answer; less where the vendor does not say it. */
function expected({ lacks }: DialectFixture, answer: WireAnswer, form: 'buffered' | 'streamed'): FoldedAnswer {
  const usage = {
    ...answer.usage,
    ...(lacks.includes('cached tokens') ? { cacheReadInputTokens: 0 } : {}),
    ...(lacks.includes('reasoning tokens') ? { reasoningOutputTokens: 0 } : {}),
  };
  return {
    text: answer.text.join(''),
    reasoning: answer.reasoning?.pieces.join('') ?? '',
    calls: answer.calls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments ?? '{}') })),
    finish: answer.finish,
    usage: form === 'streamed' && lacks.includes('usage of streams') ? undefined : usage,
  };
}

/** Arguments are compared by what they say. */
function withParsedArguments(folded: FoldedAnswer): FoldedAnswer {
  return { ...folded, calls: folded.calls.map((call) => ({ ...call, arguments: JSON.parse(call.arguments) })) };
}

function scenariosOf({ lacks }: DialectFixture): [string, WireAnswer][] {
  const possible = answerScenarios.filter(({ needs }) => !needs.some((need: Lack) => lacks.includes(need)));
  return possible.map(({ name, answer }) => [name, answer]);
}

/** Every point of a short stream, and some 600 of a longer one. */
function pointsIn(bytes: Buffer): number[] {
  const step = Math.max(1, Math.floor(bytes.length / 600));
  return Array.from({ length: Math.floor(bytes.length / step) + 1 }, (_unused, index) => index * step);
}

function joined(pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat(pieces);
}

describe.each(named)('the vendor dialect %s', (_, fixture) => {
  const { dialect, lacks, target } = fixture;

  describe.each(scenariosOf(fixture))('reads %s', (_name, answer) => {
    test('out of a buffered answer', () => {
      const folded = foldAnswer(dialect.decodeResponse(fixture.body(answer)));

      expect(withParsedArguments(folded)).toEqual(expected(fixture, answer, 'buffered'));
    });

    test('out of a stream', async () => {
      const folded = foldAnswer(await decodedStream(dialect, ...fixture.stream(answer)));

      expect(withParsedArguments(folded)).toEqual(expected(fixture, answer, 'streamed'));
    });

    test('in the order start, content, finish, usage', async () => {
      const rank = { start: 0, finish: 2, usage: 3, error: 4 } as const;
      const rankOf = (type: string): number => (Object.hasOwn(rank, type) ? rank[type as keyof typeof rank] : 1);

      for (const events of [
        dialect.decodeResponse(fixture.body(answer)),
        await decodedStream(dialect, ...fixture.stream(answer)),
      ]) {
        const ranks = events.map(({ type }) => rankOf(type));
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
        expect(ranks.filter((one) => one === 0)).toEqual([0]);
        expect(ranks.filter((one) => one === 2)).toEqual([2]);
      }
    });

    test('at every split point of the bytes, and byte by byte', async () => {
      const bytes = joined(fixture.stream(answer));
      const whole = JSON.stringify(await decodedStream(dialect, bytes));
      const differing: number[] = [];

      for (const at of pointsIn(bytes)) {
        const events = await decodedStream(dialect, bytes.subarray(0, at), bytes.subarray(at));
        if (JSON.stringify(events) !== whole) differing.push(at);
      }

      expect(differing).toEqual([]);
      const bytewise = await decodedStream(dialect, ...[...bytes].map((byte) => Buffer.of(byte)));
      expect(JSON.stringify(bytewise)).toBe(whole);
    });

    test('past what says nothing', async () => {
      const events = fixture.stream(answer);
      const noisy = events.flatMap((event) => [...fixture.noise, event]);

      expect(foldAnswer(await decodedStream(dialect, ...noisy))).toEqual(
        foldAnswer(await decodedStream(dialect, ...events)),
      );
    });

    test('without a finish where the stream is cut', async () => {
      const events = fixture.stream(answer);
      const whole = foldAnswer(await decodedStream(dialect, ...events));
      const finishing = await finishingEvent(fixture, events);
      // The line ends behind the last event, and its last brace, say nothing.
      const last = joined(events.slice(0, finishing)).length + events[finishing]!.length - 4;

      const wrong: [number, FoldedAnswer][] = [];

      for (const length of pointsIn(joined(events)).filter((point) => point < last)) {
        const cut = foldAnswer(await decodedStream(dialect, joined(events).subarray(0, length)));
        const isBegun = whole.text.startsWith(cut.text) && whole.reasoning.startsWith(cut.reasoning);
        if (cut.finish !== undefined || !isBegun) wrong.push([length, cut]);
      }

      expect(wrong).toEqual([]);
    });
  });

  test('ends a stream with an error when the vendor fails inside it', async () => {
    const answer: WireAnswer = { ...answerScenarios[0]!.answer, text: ['Hel', 'lo'] };
    const events = fixture.stream(answer);
    const begun = events.slice(0, await finishingEvent(fixture, events));

    const decoded = await decodedStream(dialect, ...begun, fixture.failure('out of memory'), ...events);

    const { text, finish } = foldAnswer(decoded);
    expect(finish).toBeUndefined();
    // Gemini says its last words together with the finish.
    expect(text).toMatch(/^Hel(lo)?$/);
    expect(decoded.at(-1)).toMatchObject({ type: 'error', error: { message: 'out of memory' } });
    expect(decoded.filter(({ type }) => type === 'error')).toHaveLength(1);
  });

  test.each(fixture.errors)('reads the error of $name', ({ status, headers = {}, text, message, code }) => {
    const error = code === undefined ? { message } : { message, code };

    expect(dialect.decodeError(status, headers, text)).toMatchObject(error);
    const body = parseJson(text);
    if (isObject(body)) expect(dialect.decodeResponse(body)).toMatchObject([{ type: 'error', error: { message } }]);
  });

  test.each(['', '<html>', 'null', '7', '[]', '[null]', '{}', '{"error":null}', '{"message":{"message":7}}'])(
    'reads an error body of %j without failing',
    (text) => {
      expect(dialect.decodeError(502, {}, text).message ?? '').toEqual(expect.any(String));
    },
  );

  const requests = Object.entries(requestScenarios).map(
    ([name, request]) => [name, request, fixture.requests[name as keyof typeof requestScenarios]] as const,
  );
  test.each(requests)('writes a request with %s, or names what it cannot', (_name, request, wanted) => {
    const { body, unsupported } = dialect.encodeRequest(request, target);

    if ('unsupported' in wanted) expect(unsupported).toContain(wanted.unsupported);
    else {
      expect(body).toMatchObject(wanted.body);
      expect(unsupported).toEqual([]);
    }
    expect(JSON.parse(JSON.stringify(body))).toEqual(body);
  });

  test('names in a request what has no place, and writes the rest', () => {
    const request = { ...requestScenarios.image, extensions: { 'openai-chat': { logit_bias: { 7: 1 } } } };

    const { body, unsupported } = dialect.encodeRequest(request, target);

    const honoured = isObject(body['logit_bias']) ? [] : ['logit_bias'];
    expect(unsupported).toEqual(honoured);
  });

  test('meets strange answers with a clear error, and skips strange events', async () => {
    const answers = scenariosOf(fixture).map(([, answer]) => answer);
    const picked = fc.record({ answer: fc.constantFrom(...answers), stranger: fc.constantFrom(...strangers) });

    await fc.assert(
      fc.asyncProperty(picked, fc.nat(200), fc.nat(20), async ({ answer, stranger }, place, at) => {
        const body = distorted(fixture.body(answer), place, stranger);
        expect(failureOf(() => dialect.decodeResponse(body))).not.toBeInstanceOf(TypeError);
        const events = fixture.stream(answer);
        const strange = events.map((event, index) => (index === at ? distortedEvent(event, place, stranger) : event));
        const indexes = new Set<number>();
        for (const event of await decodedStream(dialect, ...strange)) {
          if (event.type === 'tool-call') indexes.add(event.index);
          // Arguments of a call that never began.
          if (event.type === 'tool-arguments') expect(indexes).toContain(event.index);
        }
      }),
      { numRuns: 500 },
    );
  });

  const signed = lacks.includes('signatures') ? [] : scenariosOf(fixture).filter(([, answer]) => answer.reasoning);
  for (const [name, answer] of signed)
    test(`sends the signature of ${name} back to the vendor`, async () => {
      for (const events of [
        dialect.decodeResponse(fixture.body(answer)),
        await decodedStream(dialect, ...fixture.stream(answer)),
      ]) {
        const messages = [aUserMessage('Weather?'), answeredMessage(events), ...resultsFor(answer)];
        const { body } = dialect.encodeRequest({ ...requestScenarios.toolResult, messages }, target);
        expect(JSON.stringify(body)).toContain(answer.reasoning?.signature);
      }
    });
});

/** Position of the event with which the vendor says that it has finished. */
async function finishingEvent({ dialect }: DialectFixture, events: readonly Uint8Array[]): Promise<number> {
  for (let count = 1; count <= events.length; count++) {
    const decoded = await decodedStream(dialect, ...events.slice(0, count));
    if (decoded.some(({ type }) => type === 'finish')) return count - 1;
  }
  throw new Error('The stream of this fixture has no finish');
}

function failureOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}

function resultsFor({ calls }: WireAnswer): ReturnType<typeof aUserMessage>[] {
  const parts = calls.map(({ id, name }) => ({
    type: 'tool-result' as const,
    callId: id,
    name,
    content: [{ type: 'text' as const, text: '18 °C' }],
  }));
  return parts.length > 0 ? [{ role: 'user', parts }] : [aUserMessage('Go on')];
}
