import type { VendorDialect } from '../dialect.ts';
import { decodeCohereResponse } from './decode-response.ts';
import { decodeCohereStream } from './decode-stream.ts';
import { encodeCohereRequest } from './encode-request.ts';
import { readCohereError } from './errors.ts';

/** Cohere's own protocol, `POST /v2/chat`. */
export const cohereChatVendor: VendorDialect = {
  name: 'cohere-chat',
  encodeRequest: encodeCohereRequest,
  decodeResponse: decodeCohereResponse,
  decodeStream: decodeCohereStream,
  decodeError: (_status, _headers, text) => readCohereError(text),
};
