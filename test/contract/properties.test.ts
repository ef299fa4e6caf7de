import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChatRequest, Message, Part } from '../../lambda/dialects/chat-request.ts';
import { isObject, type JsonObject } from '../../lambda/dialects/json-value.ts';
import { RequestProblem } from '../../lambda/dialects/request-problem.ts';
import { anyAnswer, anyText } from '../support/arbitrary-answers.ts';
import { aChatRequest } from '../support/chat-requests.ts';
import { allClientDialects } from '../support/dialect-fixtures/all-clients.ts';
import type { DialectFixture, WireAnswer } from '../support/dialect-fixtures/dialect-fixture.ts';
import { dialectFixtures } from '../support/dialect-fixtures/fixtures.ts';
import { placeSchema } from '../support/dialect-fixtures/scenarios.ts';
import { lossesOf } from '../support/matrix/answer-cells.ts';
import { translatingClients } from '../support/matrix/matrix.ts';
import { decodedStream } from '../support/vendor-streams.ts';

const clients = await translatingClients();
const everyClient = await allClientDialects();

/** What of an answer this vendor can say. */
function sayable({ lacks }: DialectFixture, answer: WireAnswer): WireAnswer {
  const { reasoning, ...rest } = answer;
  const calls = lacks.includes('tools') ? [] : rest.calls;
  const finish =
    calls.length > 0 ? 'tool_calls' : rest.finish === 'length' && !lacks.includes('length stop') ? 'length' : 'stop';
  return { ...rest, calls, finish, ...(reasoning && !lacks.includes('reasoning') ? { reasoning } : {}) };
}

const pairs = dialectFixtures.flatMap((fixture) =>
  clients.map((client) => [fixture.dialect.name, client.name, fixture, client] as const),
);

test.each(pairs)('any answer of %s says the same to callers of %s', async (_, _client, fixture, client) => {
  await fc.assert(
    fc.asyncProperty(anyAnswer, fc.boolean(), async (answer, stream) => {
      expect(await lossesOf(client, fixture, sayable(fixture, answer), stream)).toEqual([]);
    }),
    { numRuns: 40 },
  );
});

const text: fc.Arbitrary<Part> = anyText
  .filter((said) => said.trim() !== '')
  .map((said) => ({ type: 'text', text: said }));
const image: fc.Arbitrary<Part> = fc.constantFrom<Part>(
  { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'iVBORw0KGgo=' } },
  { type: 'image', source: { kind: 'url', url: 'https://images.example/cat.png' } },
);
const user: fc.Arbitrary<Message[]> = fc
  .tuple(text, fc.array(fc.oneof(text, image), { maxLength: 2 }))
  .map(([first, more]) => [{ role: 'user', parts: [first, ...more] }]);
const toolTurn: fc.Arbitrary<Message[]> = fc.tuple(anyText, fc.boolean(), fc.nat(99)).map(([said, isError, id]) => [
  {
    role: 'assistant',
    parts: [{ type: 'tool-call', id: `call_${id}`, name: 'weather', arguments: '{"city":"Paris"}' }],
  },
  {
    role: 'user',
    parts: [
      {
        type: 'tool-result',
        callId: `call_${id}`,
        content: [{ type: 'text', text: `said ${said}` }],
        ...(isError ? { isError } : {}),
      },
    ],
  },
]);
const assistant: fc.Arbitrary<Message[]> = fc
  .tuple(text, user)
  .map(([part, next]) => [{ role: 'assistant', parts: [part] }, ...next]);
const turns = fc.array(fc.oneof(user, toolTurn, assistant), { maxLength: 4 });

const anyRequest: fc.Arbitrary<ChatRequest> = fc
  .record({
    system: fc.option(text, { nil: undefined }),
    first: user,
    turns,
    fields: fc.record(
      {
        toolChoice: fc.constantFrom(
          { type: 'auto' as const },
          { type: 'required' as const },
          { type: 'tool' as const, name: 'weather' },
        ),
        responseFormat: fc.constantFrom(
          { type: 'text' as const },
          { type: 'json-schema' as const, name: 'place', schema: placeSchema, strict: true },
        ),
        sampling: fc.record(
          { temperature: fc.constantFrom(0, 0.5, 1), topP: fc.constantFrom(0.1, 0.9) },
          { requiredKeys: [] },
        ),
        maxOutputTokens: fc.integer({ min: 1, max: 9_000 }),
        stop: fc.constantFrom<string[]>([], ['END'], ['a', 'b']),
        reasoning: fc.constantFrom(
          { effort: 'low' as const },
          { effort: 'high' as const },
          { effort: 'none' as const },
        ),
        stream: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ system, first, turns: more, fields }) =>
    aChatRequest({
      tools: [{ name: 'weather', description: 'Tells', parameters: placeSchema }],
      messages: [...(system ? [{ role: 'system' as const, parts: [system] }] : []), ...first, ...more.flat()],
      ...fields,
    }),
  );

const bothSides = dialectFixtures.flatMap((fixture) => {
  const client = clients.find(({ name }) => name === fixture.dialect.name);
  return client ? [[client.name, fixture, client] as const] : [];
});

test.each(bothSides)('any request written in %s is read as what was written', (_, { dialect, target }, client) => {
  fc.assert(
    fc.property(anyRequest, (request) => {
      const written = JSON.parse(JSON.stringify(dialect.encodeRequest(request, target).body)) as JsonObject;

      const read = client.decodeRequest(written, { model: target.model, stream: request.stream });

      expect(JSON.parse(JSON.stringify(dialect.encodeRequest(read, target).body))).toEqual(written);
    }),
    { numRuns: 200 },
  );
});

const anyJson = fc.jsonValue({ maxDepth: 4 });
/** Objects with the names that decoders look for, and anything under them. */
const likely = fc.dictionary(
  fc.constantFrom(
    ...[
      'messages',
      'input',
      'contents',
      'prompt',
      'model',
      'tools',
      'tool_choice',
      'content',
      'parts',
      'role',
      'text',
      'type',
    ],
    ...[
      'choices',
      'output',
      'candidates',
      'message',
      'delta',
      'usage',
      'index',
      'finish_reason',
      'error',
      'system',
      'stop',
    ],
    ...[
      'tool_calls',
      'function',
      'reasoning',
      'response',
      'item',
      'content_block',
      'generationConfig',
      'thinking',
      'stream',
    ],
  ),
  fc.oneof(
    anyJson,
    fc.array(fc.dictionary(fc.constantFrom('role', 'content', 'type', 'text', 'parts'), anyJson), { maxLength: 2 }),
  ),
  { maxKeys: 5 },
);

describe('random JSON', () => {
  test.each(everyClient.map((client) => [client.name, client] as const))(
    'is a request of %s, or one with a problem that can be told',
    (_, client) => {
      fc.assert(
        fc.property(likely, fc.boolean(), (body, stream) => {
          const failure = failureOf(() => client.decodeRequest(body, { model: 'm', stream }));
          expect(failure === undefined || failure instanceof RequestProblem || failure).toBe(true);
        }),
        { numRuns: 500 },
      );
    },
  );

  test.each(dialectFixtures.map((fixture) => [fixture.dialect.name, fixture] as const))(
    'crashes no decoder of %s',
    async (_, { dialect }) => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(likely, anyJson),
          fc.constantFrom('', 'event: error\n', 'event: x\n'),
          async (value, name) => {
            const failure = isObject(value) ? failureOf(() => dialect.decodeResponse(value)) : undefined;
            expect(failure instanceof TypeError || failure instanceof RangeError ? failure : 'none').toBe('none');
            await decodedStream(dialect, `${name}data: ${JSON.stringify(value)}\n\n`);
            dialect.decodeError(500, {}, JSON.stringify(value));
          },
        ),
        { numRuns: 500 },
      );
    },
  );
});

function failureOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    return error;
  }
}
