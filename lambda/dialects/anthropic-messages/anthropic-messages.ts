import type { ClientDialect, VendorDialect } from '../dialect.ts';
import { readErrorBody } from '../provider-error.ts';
import { modelTraits } from './claude-models.ts';
import { decodeMessage, decodeMessageStream } from './decode-answer.ts';
import { decodeMessagesRequest } from './decode-request.ts';
import { encodeMessage, encodeMessageStream } from './encode-answer.ts';
import { encodeMessagesRequest } from './encode-request.ts';
import { encodeMessagesError, encodeMessagesStreamError } from './errors.ts';

/** Callers of `POST /v1/messages`. */
export const anthropicMessagesClient: ClientDialect = {
  name: 'anthropic-messages',
  decodeRequest: decodeMessagesRequest,
  encodeResponse: encodeMessage,
  encodeStream: encodeMessageStream,
  streamContentType: 'text/event-stream; charset=utf-8',
  // https://docs.claude.com/en/docs/build-with-claude/streaming#ping-events
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
  encodeError: encodeMessagesError,
  encodeStreamError: encodeMessagesStreamError,
  endsStream: (event) => /^event: *(message_stop|error)\b/m.test(event),
};

/** Vendors that speak Anthropic's Messages API. */
export const anthropicMessagesVendor: VendorDialect = {
  name: 'anthropic-messages',
  // Claude takes its thoughts back at Anthropic, on Bedrock and on Vertex AI, wherever it had them.
  makerOf: (model) => (modelTraits(model).isClaude ? 'claude' : undefined),
  encodeRequest: encodeMessagesRequest,
  decodeResponse: decodeMessage,
  decodeStream: decodeMessageStream,
  decodeError: (_status, _headers, text) => readErrorBody(text),
};
