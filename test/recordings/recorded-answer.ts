import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import { object, objects, parsed } from './json.ts';
import { readChunks, readCompletion } from './read-chat.ts';
import { readCohere, readCohereEvents } from './read-cohere.ts';
import { readConverse, readConverseFrames } from './read-converse.ts';
import { errorMessage, toldStatus } from './read-error.ts';
import { readAwsFrames, readSse } from './read-frames.ts';
import { readGemini } from './read-gemini.ts';
import { readMessage, readMessageEvents } from './read-messages.ts';
import { readPredictionStream } from './read-predictions.ts';
import { readResponse, readResponseEvents } from './read-responses.ts';
import { failed, type Reading } from './reading.ts';
import type { RecordedCase } from './recorded-case.ts';

const dialects: Readonly<Record<string, DialectName>> = {
  'chat.completions': 'openai-chat',
  responses: 'openai-responses',
  messages: 'anthropic-messages',
  generateContent: 'gemini',
  streamGenerateContent: 'gemini',
  converse: 'bedrock-converse',
  'converse-stream': 'bedrock-converse',
  'chat-v2': 'cohere-chat',
  predictions: 'replicate',
  'predictions-stream': 'replicate',
};

/** The dialect in which the vendor answered; undefined for an API that is no conversation of this gateway. */
export function recordedDialect({ api, body }: RecordedCase): DialectName | undefined {
  // The body knows better than the label.
  if (api === 'responses' && body.includes('"object":"chat.completion.chunk"')) return 'openai-chat';
  return Object.hasOwn(dialects, api) ? dialects[api] : undefined;
}

/** What the recording says. */
export function readRecording(recorded: RecordedCase, dialect: DialectName): Reading {
  const { body, status, file } = recorded;
  if (status >= 400)
    return failed(status, errorMessage(body.toString('utf8')), toldStatus(status, body.toString('utf8')));
  const value = parsed(body.toString('utf8'));
  if (file.endsWith('.json') && dialect === 'gemini')
    return readGemini(Array.isArray(value) ? objects(value) : [object(value)]);
  if (file.endsWith('.json')) return buffered[dialect]?.(object(value)) ?? { choices: [] };
  return streamed[dialect]?.(body) ?? { choices: [] };
}

const buffered: Partial<Record<DialectName, (body: Record<string, unknown>) => Reading>> = {
  'openai-chat': readCompletion,
  'openai-responses': readResponse,
  'anthropic-messages': readMessage,
  'bedrock-converse': readConverse,
  'cohere-chat': readCohere,
};

const streamed: Partial<Record<DialectName, (bytes: Buffer) => Reading>> = {
  'openai-chat': (bytes) => readChunks(readSse(bytes)),
  'openai-responses': (bytes) => readResponseEvents(readSse(bytes)),
  'anthropic-messages': (bytes) => readMessageEvents(readSse(bytes)),
  gemini: (bytes) => readGemini(readSse(bytes).map(({ data }) => data)),
  'bedrock-converse': (bytes) => readConverseFrames(readAwsFrames(bytes)),
  'cohere-chat': (bytes) => readCohereEvents(readSse(bytes)),
  replicate: readPredictionStream,
};
