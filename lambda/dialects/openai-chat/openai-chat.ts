import type { CallerError, ClientDialect, VendorDialect } from '../dialect.ts';
import { isObject, type JsonObject, parseJson } from '../json-value.ts';
import { type ProviderError, readErrorBody } from '../provider-error.ts';
import { holdsFacts } from './answer.ts';
import { decodeChatAnswer, decodeChatStream } from './decode-answer.ts';
import { decodeChatRequest } from './decode-request.ts';
import { encodeChatAnswer } from './encode-answer.ts';
import { encodeChatRequest } from './encode-request.ts';
import { encodeChatStream } from './encode-stream.ts';

function encodeError({ message, type, param, code }: CallerError): JsonObject {
  return { error: { message, type, param, code } };
}

/** Callers of `POST /v1/chat/completions`. */
export const openAiChatClient: ClientDialect = {
  name: 'openai-chat',
  decodeRequest: decodeChatRequest,
  encodeResponse: encodeChatAnswer,
  encodeStream: encodeChatStream,
  streamContentType: 'text/event-stream; charset=utf-8',
  keepAlive: ': keep-alive\n\n',
  encodeError,
  encodeStreamError: (error) => `data: ${JSON.stringify(encodeError(error))}\n\n`,
  endsStream: holdsFacts,
};

/** OpenRouter tells with 403, and about whom or why in `metadata`, that a prompt was refused: no fault of the key. */
function decodeChatError(
  status: number,
  headers: Readonly<Record<string, string | undefined>>,
  text: string,
): ProviderError {
  const error = readErrorBody(text, headers['content-type']);
  if (status !== 403) return error;
  const body = parseJson(text);
  const isModeration = isObject(body) && isObject(body['error']) && isObject(body['error']['metadata']);
  return isModeration ? { ...error, code: 'content_filter' } : error;
}

/** Vendors that speak OpenAI's chat protocol. */
export const openAiChatVendor: VendorDialect = {
  name: 'openai-chat',
  encodeRequest: encodeChatRequest,
  decodeResponse: decodeChatAnswer,
  decodeStream: decodeChatStream,
  decodeError: decodeChatError,
};
