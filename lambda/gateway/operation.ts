import type { IncomingMessage } from 'node:http';
import type { NextFetch } from '../dialects/dialect.ts';
import type { JsonObject } from '../dialects/json-value.ts';
import type { Provider } from '../providers/provider.ts';
import type { Failure } from '../routing/failure.ts';
import type { Relay, RelayedFacts } from './answers/relay-stream.ts';
import type { OpenEvents } from './answers/translated-answer.ts';
import type { ClientCall } from './caller/client-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import type { Timings } from './timings.ts';

/** What is wanted of whichever target comes next: a conversation, an embedding, a picture. */
export type Operation = {
  /** The model as the caller named it. */
  model: string | undefined;
  /** The answer is wanted piece by piece, so that its first content has a time limit of its own. */
  stream: boolean;
  /** It says nothing of how fast the target is at what it is there for. */
  isAside?: true;
  /** Set when it is a conversation, whose stream can be taken up where it breaks off. */
  conversation?: ClientCall;
  /** Writes the request for one target, or says why it cannot be asked. */
  requestTo(provider: Provider, target: OperationTarget): Promise<VendorRequest | { failure: Failure }>;
};

/** Whom to ask; the project may be that of the key. */
export type OperationTarget = { model: string; project?: string | undefined };

/** One request to a vendor, and how its answer is read. */
export type VendorRequest = {
  path: string;
  body: Buffer | string;
  /** The headers of its own; without a `content-type` among them the body is JSON. */
  headers: Record<string, string>;
  /** What of the caller's request this vendor cannot honour. */
  unsupported: readonly string[];
  /** For vendors whose first answer may only say where the answer is. */
  nextFetch?: ((answer: JsonObject, wanted: { stream: boolean }) => NextFetch | undefined) | undefined;
  /** Reads an error, a whole answer, or a stream until its first content. */
  read(response: IncomingMessage, reading: Reading): Promise<VendorAnswer>;
};

/** What reading an answer takes from the world; `hidden` says what was sent with the request and must not be told. */
export type Reading = { timings: Timings; hidden(): readonly string[] } & Pick<GatewayDeps, 'now' | 'newId'>;

/** A vendor's answer, read as far as it must be before the caller may see any of it. */
export type VendorAnswer = { failure: Failure } | StreamedAnswer | BufferedAnswer;

/**
 * The content type is the vendor's own where that counts, and else that of the caller's dialect. `opened` is there where the
 * relay goes through the vocabulary: its events may be read instead of it.
 */
export type StreamedAnswer = { relay: Relay; contentType?: string; opened?: OpenEvents };
export type BufferedAnswer = { body: Buffer | string; facts: RelayedFacts; contentType?: string };
