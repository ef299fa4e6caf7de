import type { CallIdForm } from './call-ids.ts';
import type { ChatEvent } from './chat-event.ts';
import type { ChatRequest, DialectName } from './chat-request.ts';
import type { JsonObject } from './json-value.ts';
import type { ProviderError } from './provider-error.ts';

/** An error as a caller is told, before it has the form of a dialect. */
export type CallerError = {
  status: number;
  code: string;
  type: string;
  message: string;
  param: string | null;
  requestId: string;
};

/** What of a request cannot be read from its body: the model in a path, whether to stream. */
export type RequestContext = { model?: string; stream?: boolean };

/** How callers speak. Decoding throws `RequestProblem` when the request cannot be understood. */
export type ClientDialect = {
  name: DialectName;
  /** The model stands in the path and not in the body. */
  modelInPath?: true;
  decodeRequest(body: JsonObject, context: RequestContext): ChatRequest;
  /** A complete answer as a JSON value. */
  encodeResponse(events: readonly ChatEvent[], answer: AnswerContext): JsonObject;
  /** Pieces of an event stream, whole events each; ends with what marks the end in this dialect. */
  encodeStream(events: AsyncIterable<ChatEvent>, answer: AnswerContext): AsyncGenerator<string>;
  /** Streams stand in another frame than those of vendors of this dialect, so their bytes cannot be passed on. */
  ownFrame?: true;
  /** Content type of a streamed answer. */
  streamContentType: string;
  /** What may stand between two events and means nothing; absent where some SDK does not pass over it. */
  keepAlive?: string;
  encodeError(error: CallerError): JsonObject;
  /** The last event of a stream that failed after it had begun. */
  encodeStreamError(error: CallerError): string;
  /** Whether an event may be the last of a stream: what is said of the answer as a whole has its place there. */
  endsStream?(event: string): boolean;
};

/** What an encoder must know besides the events: who asked for what, and how to make up what a vendor left out. */
export type AnswerContext = {
  request: ChatRequest;
  /** The model that answers, as the caller shall see it. */
  model: string;
  nowSeconds: number;
  /** Makes an identifier with this prefix, for vendors that give none. */
  newId(prefix: string): string;
};

/** What goes to a vendor: the body, and what its path needs to know. */
export type VendorRequest = { body: JsonObject; headers?: Record<string, string> };

/** What of a caller's request this vendor cannot honour, by the caller's own names for it. */
export type EncodedRequest = VendorRequest & { unsupported: readonly string[] };

/** Where a vendor of OpenAI's chat takes back what a model thought: with signatures, as plain text, or signatures alone. */
export type ThoughtsField = 'reasoning_details' | 'reasoning_content' | 'extra_content';

/** Whom a request is written for, with what differs between vendors of one dialect. */
export type VendorTarget = {
  model: string;
  maxTokensField?: string;
  refusesStreamOptions?: boolean;
  refusesCallIds?: boolean;
  thoughtsField?: ThoughtsField | undefined;
  takesCacheHints?: boolean;
  callIds?: CallIdForm;
};

/** What has to be fetched before an answer is one, and how long to wait before that. */
export type NextFetch = { url: string; accept: 'text/event-stream' | 'application/json'; afterMs?: number };

/** How vendors speak. */
export type VendorDialect = {
  name: DialectName;
  /** Names in `unsupported` what has no place at this vendor; the gateway refuses, or drops and says so. */
  encodeRequest(request: ChatRequest, target: VendorTarget): EncodedRequest;
  /** The events of a complete answer; an answer that is an error gives one `error` event. Throws on anything else. */
  decodeResponse(body: JsonObject): ChatEvent[];
  /** The events of a streamed answer. Ends without a `finish` when the vendor's stream does. */
  decodeStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent>;
  /** Whose signatures the models of that name make, where they hold beyond one provider. */
  makerOf?(model: string): string | undefined;
  /** For vendors whose first answer may only say where the answer is; undefined when it is the answer. */
  nextFetch?(answer: JsonObject, wanted: { stream: boolean }): NextFetch | undefined;
  decodeError(status: number, headers: Readonly<Record<string, string | undefined>>, text: string): ProviderError;
};
