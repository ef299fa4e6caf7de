import type { CallerError, ClientDialect } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { holdsFacts } from '../openai-chat/answer.ts';
import { decodeCompletionsRequest } from './decode-request.ts';
import { encodeCompletionsAnswer, encodeCompletionsStream } from './encode-answer.ts';

function encodeError({ message, type, param, code }: CallerError): JsonObject {
  return { error: { message, type, param, code } };
}

/** Callers of the legacy `POST /v1/completions`, whose prompt is what a user says. */
export const openAiCompletionsClient: ClientDialect = {
  name: 'openai-completions',
  decodeRequest: decodeCompletionsRequest,
  encodeResponse: encodeCompletionsAnswer,
  encodeStream: encodeCompletionsStream,
  streamContentType: 'text/event-stream; charset=utf-8',
  keepAlive: ': keep-alive\n\n',
  encodeError,
  encodeStreamError: (error) => `data: ${JSON.stringify(encodeError(error))}\n\n`,
  endsStream: holdsFacts,
};
