import type { ClientDialect } from '../../../lambda/dialects/dialect.ts';
import { differences } from '../../recordings/compare.ts';
import { object } from '../../recordings/json.ts';
import type { Reading } from '../../recordings/reading.ts';
import { aChatRequest } from '../chat-requests.ts';
import type { DialectFixture, WireAnswer } from '../dialect-fixtures/dialect-fixture.ts';
import { answerScenarios } from '../dialect-fixtures/scenarios.ts';
import { inPieces } from '../vendor-streams.ts';
import { clientReaders } from './read-client-answer.ts';

/** What an answer may hold, as the columns of the matrix name it, and the scenarios of the contract that show it. */
export const answeredFeatures = {
  text: ['text', 'text after a JSON Schema'],
  'tool calls': ['tools', 'a tool without arguments'],
  'parallel tool calls': ['text and parallel tools'],
  reasoning: ['reasoning', 'reasoning before tools'],
  'stop for length': ['a stop for length'],
  'content filter': ['a content filter'],
} as const;

export type AnsweredFeature = keyof typeof answeredFeatures;

const context = {
  request: aChatRequest({ includeUsage: true }),
  model: 'm',
  nowSeconds: 1_700_000_000,
  newId: (prefix: string) => `${prefix}1`,
};

/**
 * What callers get otherwise than the vendor said it, out of whole answers and streams; undefined when the vendor cannot
 * say it.
 */
export async function answerLosses(
  client: ClientDialect,
  fixture: DialectFixture,
  feature: AnsweredFeature,
): Promise<string[] | undefined> {
  const names: readonly string[] = answeredFeatures[feature];
  const scenarios = answerScenarios.filter(({ name, needs }) => {
    return names.includes(name) && !needs.some((need) => fixture.lacks.includes(need));
  });
  if (scenarios.length === 0) return undefined;
  const losses = scenarios.map(async ({ answer }) => [
    ...(await lossesOf(client, fixture, answer, false)),
    ...(await lossesOf(client, fixture, answer, true)),
  ]);
  return (await Promise.all(losses)).flat();
}

/** What of one answer callers get otherwise than the vendor said it. */
export async function lossesOf(
  client: ClientDialect,
  fixture: DialectFixture,
  answer: WireAnswer,
  stream: boolean,
): Promise<string[]> {
  const { dialect: vendor } = fixture;
  const reader = clientReaders[client.name];
  if (!reader) throw new Error(`Nothing reads answers of ${client.name}`);
  const way = { recorded: vendor.name, client: client.name, stream };
  const expected = expectedReading(fixture, answer, stream);
  if (!stream) {
    const body = client.encodeResponse(vendor.decodeResponse(fixture.body(answer)), context);
    return differences(expected, reader.whole(object(JSON.parse(JSON.stringify(body)))), way);
  }
  const events = vendor.decodeStream(inPieces(...fixture.stream(answer)));
  const pieces: string[] = [];
  for await (const piece of client.encodeStream(events, context)) pieces.push(piece);
  return differences(expected, reader.stream(Buffer.from(pieces.join(''))), way);
}

function expectedReading({ lacks }: DialectFixture, answer: WireAnswer, stream: boolean): Reading {
  const { inputTokens, outputTokens, cacheReadInputTokens, reasoningOutputTokens } = answer.usage;
  const usage = {
    input: inputTokens,
    output: outputTokens,
    cached: lacks.includes('cached tokens') ? 0 : cacheReadInputTokens,
    reasoning: lacks.includes('reasoning tokens') ? 0 : reasoningOutputTokens,
  };
  const choice = {
    text: answer.text.join(''),
    reasoning: answer.reasoning?.pieces.join('') ?? '',
    refusal: '',
    calls: answer.calls.map(({ id, name, arguments: written }) => ({ id, name, input: JSON.parse(written ?? '{}') })),
    finish: answer.finish,
  };
  return { choices: [choice], ...(stream && lacks.includes('usage of streams') ? {} : { usage }) };
}
