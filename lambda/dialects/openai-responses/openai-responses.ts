import type { ClientDialect, VendorDialect } from '../dialect.ts';
import { readErrorBody } from '../provider-error.ts';
import { decodeResponsesRequest } from './decode-request.ts';
import { decodeResponsesResponse } from './decode-response.ts';
import { decodeResponsesStream } from './decode-stream.ts';
import {
  encodeResponsesAnswer,
  encodeResponsesError,
  encodeResponsesStream,
  encodeResponsesStreamError,
} from './encode-answer.ts';
import { encodeResponsesRequest } from './encode-request.ts';

/** Callers of `POST /v1/responses`. */
export const openAiResponsesClient: ClientDialect = {
  name: 'openai-responses',
  decodeRequest: decodeResponsesRequest,
  encodeResponse: encodeResponsesAnswer,
  encodeStream: encodeResponsesStream,
  streamContentType: 'text/event-stream; charset=utf-8',
  keepAlive: ': keep-alive\n\n',
  encodeError: encodeResponsesError,
  encodeStreamError: encodeResponsesStreamError,
  endsStream: (event) => /^event: *(response\.(completed|incomplete|failed)|error)\b/m.test(event),
};

/** Vendors that speak OpenAI's Responses protocol. */
export const openAiResponsesVendor: VendorDialect = {
  name: 'openai-responses',
  encodeRequest: encodeResponsesRequest,
  decodeResponse: decodeResponsesResponse,
  decodeStream: decodeResponsesStream,
  decodeError: (_status, _headers, text) => readErrorBody(text),
};
