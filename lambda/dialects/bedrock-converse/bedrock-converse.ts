import type { VendorDialect } from '../dialect.ts';
import { decodeConverseResponse } from './decode-response.ts';
import { decodeConverseStream } from './decode-stream.ts';
import { encodeConverseRequest } from './encode-request.ts';
import { decodeConverseError } from './errors.ts';
import { modelFamily } from './model-family.ts';

/** Amazon Bedrock's Converse and ConverseStream, which are the same for every model; it is named in the path. */
export const bedrockConverseVendor: VendorDialect = {
  name: 'bedrock-converse',
  makerOf: (model) => (modelFamily(model) === 'claude' ? 'claude' : undefined),
  encodeRequest: encodeConverseRequest,
  decodeResponse: decodeConverseResponse,
  decodeStream: decodeConverseStream,
  decodeError: (_status, headers, text) => decodeConverseError(headers, text),
};
