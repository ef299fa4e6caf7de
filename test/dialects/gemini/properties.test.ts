import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import { geminiArrayClient, geminiClient, geminiVendor } from '../../../lambda/dialects/gemini/gemini.ts';
import { fromOpenApiSchema, toOpenApiSchema } from '../../../lambda/dialects/gemini/schema.ts';
import { unwrapSecrets, wrapSecrets } from '../../../lambda/dialects/gemini/signature.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { RequestProblem } from '../../../lambda/dialects/request-problem.ts';
import { answerContext, arriving, collect, sse } from './bytes.ts';

const word = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' });
const json = fc.jsonValue({ maxDepth: 3 });
/** Objects with the fields that the decoders look for, and anything in them. */
const lookalike = fc.letrec<{ node: unknown; object: JsonObject }>((tie) => ({
  object: fc.dictionary(
    fc.constantFrom(
      ...[
        'candidates',
        'content',
        'contents',
        'parts',
        'text',
        'thought',
        'thoughtSignature',
        'functionCall',
        'partialArgs',
      ],
      ...[
        'jsonPath',
        'name',
        'args',
        'functionResponse',
        'response',
        'groundingMetadata',
        'groundingChunks',
        'web',
        'segment',
      ],
      ...[
        'groundingSupports',
        'groundingChunkIndices',
        'citationMetadata',
        'citations',
        'logprobsResult',
        'chosenCandidates',
      ],
      ...[
        'usageMetadata',
        'promptTokenCount',
        'finishReason',
        'error',
        'details',
        'promptFeedback',
        'blockReason',
        'index',
      ],
      ...[
        'tools',
        'functionDeclarations',
        'toolConfig',
        'generationConfig',
        'thinkingConfig',
        'responseSchema',
        'inlineData',
      ],
      ...['fileData', 'fileUri', 'systemInstruction', 'role', 'createTime', 'responseMimeType', 'topCandidates'],
    ),
    tie('node'),
    { maxKeys: 6 },
  ),
  node: fc.oneof(
    { depthSize: 'small' },
    json,
    fc.constantFrom('$.a[0].b', 'model', 'STOP', 0, -1, 1e9),
    fc.array(tie('node'), { maxLength: 3 }),
    tie('object'),
  ),
}));

test('random JSON never crashes a decoder of answers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(lookalike.object, fc.dictionary(word, json)), async (body) => {
      await collect(geminiVendor.decodeStream(arriving([sse(body, body)])));
      await collect(geminiVendor.decodeStream(arriving([Buffer.from(JSON.stringify([body]))])));
      geminiVendor.decodeError(400, {}, JSON.stringify(body));
      try {
        geminiVendor.decodeResponse(body);
      } catch (error) {
        expect((error as Error).message).toContain('neither candidates');
      }
    }),
    { numRuns: 500 },
  );
});

test('random JSON is a request or a problem that is named', () => {
  fc.assert(
    fc.property(lookalike.object, (body) => {
      try {
        geminiVendor.encodeRequest(geminiClient.decodeRequest(body, { model: 'gemini-3-flash' }), {
          model: 'gemini-2.0-flash',
        });
      } catch (error) {
        expect(error).toBeInstanceOf(RequestProblem);
      }
    }),
    { numRuns: 500 },
  );
});

const args = fc.dictionary(word, fc.oneof(word, fc.boolean(), fc.integer()), { maxKeys: 3 });
const modelPart = fc.oneof(
  fc.record({ text: word }),
  fc.record({ text: word, thought: fc.constant(true) }),
  fc.record({ functionCall: fc.record({ id: word, name: word, args }), thoughtSignature: fc.constant('Q2FsbA') }),
);
const userPart = fc.oneof(
  fc.record({ text: word }),
  fc.record({ functionResponse: fc.record({ id: word, name: word, response: args }) }),
  fc.record({
    inlineData: fc.record({
      mimeType: fc.constantFrom('image/png', 'audio/wav', 'video/mp4'),
      data: fc.base64String(),
    }),
  }),
);
const request = fc.record(
  {
    contents: fc.array(
      fc.oneof(
        fc.record({ role: fc.constant('user'), parts: fc.array(userPart, { minLength: 1, maxLength: 3 }) }),
        fc.record({ role: fc.constant('model'), parts: fc.array(modelPart, { minLength: 1, maxLength: 3 }) }),
      ),
      { minLength: 1, maxLength: 4 },
    ),
    systemInstruction: fc.record({ parts: fc.array(fc.record({ text: word }), { minLength: 1, maxLength: 2 }) }),
    generationConfig: fc.record(
      {
        temperature: fc.double({ min: 0, max: 2, noNaN: true }),
        maxOutputTokens: fc.nat(),
        stopSequences: fc.array(word, { maxLength: 2 }),
        candidateCount: fc.integer({ min: 1, max: 8 }),
        seed: fc.nat(),
        speechConfig: args,
      },
      { requiredKeys: [] },
    ),
    safetySettings: fc.array(args),
    cachedContent: word,
  },
  { requiredKeys: ['contents'] },
);

test('a request that is read and written means the same', () => {
  fc.assert(
    fc.property(request, (body) => {
      const target = { model: 'gemini-2.5-flash' };
      const first = geminiClient.decodeRequest(body, target);
      const written = geminiVendor.encodeRequest(first, target);
      const again = geminiVendor.encodeRequest(geminiClient.decodeRequest(written.body, target), target);

      expect(written.unsupported).toEqual([]);
      expect(again.body).toEqual(written.body);
      expect(textOf(written.body['contents'])).toEqual(textOf(body.contents));
    }),
  );
});

/** All strings and numbers in their order, wherever they stand. */
function textOf(contents: unknown): string {
  const parts = (contents as { parts: JsonObject[] }[]).flatMap((content) => content.parts);
  return parts
    .map((part) => part['text'] ?? JSON.stringify(part))
    .join('')
    .replace(/"args":\{\},?/g, '');
}

const content = fc.oneof(
  word.map((text): ChatEvent[] => [{ type: 'text', choice: 0, text }]),
  fc
    .record({ text: word, signature: word })
    .map((thought): ChatEvent[] => [{ type: 'reasoning', choice: 0, ...thought }]),
  word.map((redacted): ChatEvent[] => [{ type: 'reasoning', choice: 0, redacted }]),
  fc.tuple(word, word, args).map(([id, name, value]): ChatEvent[] => [
    { type: 'tool-call', choice: 0, index: 0, id, name, signature: 's' },
    { type: 'tool-arguments', choice: 0, index: 0, text: JSON.stringify(value) },
  ]),
);

test('what is streamed to a caller reads as the same events', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(content, { minLength: 1, maxLength: 6 }), async (pieces) => {
      let calls = 0;
      const events = pieces.map((piece) => {
        const index = piece[0]?.type === 'tool-call' ? calls++ : 0;
        return piece.map((event) => ('index' in event ? { ...event, index } : event));
      });
      const reason = calls > 0 ? 'tool_calls' : 'stop';
      const all: ChatEvent[] = [...events.flat(), { type: 'finish', choice: 0, reason, nativeReason: 'STOP' }];

      for (const client of [geminiClient, geminiArrayClient]) {
        const text = (await collect(client.encodeStream(arriving(all), answerContext()))).join('');
        const again = await collect(geminiVendor.decodeStream(arriving([Buffer.from(text)])));
        expect(again.slice(1)).toEqual(all);
      }
    }),
  );
});

test('secrets survive SDKs that change the alphabet', () => {
  fc.assert(
    fc.property(
      fc.record({ signature: word, redacted: word, id: word }, { requiredKeys: ['signature'] }),
      (secrets) => {
        const wrapped = wrapSecrets(secrets) as string;

        expect(unwrapSecrets(wrapped)).toEqual(secrets);
        expect(unwrapSecrets(wrapped.replaceAll('+', '-').replaceAll('/', '_'))).toEqual(secrets);
      },
    ),
  );
});

test('any value can stand where a schema should', () => {
  const tree = { type: 'object', properties: { left: { $ref: '#' }, right: { $ref: '#' } } };
  const doubling = Object.fromEntries(
    Array.from({ length: 30 }, (_, n) => [
      `d${n}`,
      { anyOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
    ]),
  );

  expect(JSON.stringify(toOpenApiSchema(tree)).length).toBeLessThan(500);
  expect(JSON.stringify(toOpenApiSchema({ $ref: '#/$defs/d0', $defs: doubling })).length).toBeLessThan(1_000_000);
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom('type', 'anyOf', 'allOf', 'items', 'properties', '$ref', 'enum', 'format', 'nullable'),
        json,
      ),
      (schema) => {
        toOpenApiSchema(schema);
        fromOpenApiSchema(schema);
      },
    ),
  );
});
