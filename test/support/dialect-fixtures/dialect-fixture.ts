import type { FinishReason } from '../../../lambda/dialects/chat-event.ts';
import type { VendorDialect, VendorTarget } from '../../../lambda/dialects/dialect.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import type { Usage } from '../../../lambda/dialects/usage.ts';

/** A call that an answer makes; `arguments` is JSON text, or undefined where the vendor sends none. */
export type WireCall = { id: string; name: string; arguments: string | undefined };

/** What a vendor answers in a scenario, in no vendor's words; a fixture puts it into the bytes of its vendor. */
export type WireAnswer = {
  /** `signature` is what must return to the vendor with the next turn. */
  reasoning?: { pieces: readonly string[]; signature: string };
  text: readonly string[];
  calls: readonly WireCall[];
  finish: FinishReason;
  usage: Usage;
};

/** An error as the vendor sends it, and what of it must be understood. */
export type WireError = {
  name: string;
  status: number;
  headers?: Record<string, string>;
  text: string;
  message: string;
  code?: string;
};

/** What a vendor cannot say at all, so that a scenario is left out or expects less. */
export type Lack =
  | 'tools'
  | 'reasoning'
  | 'signatures'
  | 'reasoning tokens'
  | 'cached tokens'
  | 'length stop'
  | 'content filter'
  | 'usage of streams';

/** What a request becomes: fields of the vendor's body, or the name by which the encoder says that it cannot be. */
export type Expected = { body: JsonObject } | { unsupported: string };

/** The scenarios of the contract in the wire format of one vendor. */
export type DialectFixture = {
  dialect: VendorDialect;
  /** A model that takes everything in the scenarios, at a vendor that does. */
  target: VendorTarget;
  lacks: readonly Lack[];
  body(answer: WireAnswer): JsonObject;
  /** The stream of the same answer, cut behind each of its events. */
  stream(answer: WireAnswer): Uint8Array[];
  /** Events that say nothing and may stand anywhere: comments, pings, events of tomorrow. */
  noise: readonly Uint8Array[];
  /** The end of a stream that fails with this message. */
  failure(message: string): Uint8Array;
  errors: readonly WireError[];
  requests: { tools: Expected; toolResult: Expected; image: Expected; jsonSchema: Expected };
};

/** A server-sent event with JSON data. */
export function sseEvent(data: JsonObject, name?: string): Uint8Array {
  return Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`);
}

/** Text in pieces as a vendor may stream it: two, or more where it is long. */
export function streamedPieces(text: string): string[] {
  const size = Math.min(20, Math.max(1, Math.ceil(text.length / 2)));
  return Array.from({ length: Math.ceil(text.length / size) }, (_unused, piece) =>
    text.slice(piece * size, (piece + 1) * size),
  );
}
