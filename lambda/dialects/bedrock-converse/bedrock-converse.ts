import type { VendorDialect } from '../dialect.ts';
import { decodeConverseResponse } from './decode-response.ts';
import { decodeConverseStream } from './decode-stream.ts';
import { encodeConverseRequest } from './encode-request.ts';
import { decodeConverseError } from './errors.ts';

/** Amazon Bedrock's Converse and ConverseStream, which are the same for every model. */
export const bedrockConverseVendor: VendorDialect = {
  name: 'bedrock-converse',
  encodeRequest: encodeConverseRequest,
  decodeResponse: decodeConverseResponse,
  decodeStream: decodeConverseStream,
  decodeError: (_status, headers, text) => decodeConverseError(headers, text),
};

/** The path of a call: a model's id or ARN is one segment, its colons and slashes encoded. */
export function conversePath(model: string, stream: boolean): string {
  return `/model/${encodeURIComponent(model)}/${stream ? 'converse-stream' : 'converse'}`;
}
