import type { VendorDialect } from '../dialect.ts';
import { decodeReplicateStream } from './decode-stream.ts';
import { encodeReplicateRequest } from './encode-request.ts';
import { readReplicateError } from './errors.ts';
import { decodePrediction, nextFetch } from './prediction.ts';

/**
 * Replicate's predictions. A streamed answer takes two calls: `encodeRequest` and `decodeStream` belong to different
 * ones, `nextFetch` leads from the prediction to the second.
 */
export const replicateVendor: VendorDialect = {
  name: 'replicate',
  encodeRequest: encodeReplicateRequest,
  decodeResponse: decodePrediction,
  decodeStream: decodeReplicateStream,
  nextFetch,
  decodeError: (_status, _headers, text) => readReplicateError(text),
};
