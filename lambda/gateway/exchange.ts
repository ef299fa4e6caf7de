import type { Snapshot } from '../config/snapshot.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import type { Caller } from './gateway-deps.ts';
import type { Timings } from './timings.ts';

/** One HTTP request as the core sees it, whatever the host. Header names are lower case. */
export type GatewayRequest = {
  id: string;
  method: string;
  /** Path without the query string, still percent-encoded. */
  path: string;
  /** Without the question mark; empty when there is none. */
  query: string;
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
  /** Milliseconds since the epoch. */
  receivedAtMs: number;
  /** When the answer must have ended, in milliseconds since the epoch. */
  deadlineMs: number;
  /** Aborted when the caller has gone, where the host can know it. */
  signal: AbortSignal;
};

/**
 * Where the answer goes: `head` once, then any number of `write`s, then `end`. A promise from `write` means that the
 * caller is slower than the vendor: await it before the next one.
 */
export type Sink = {
  head(status: number, headers: Record<string, string>): void;
  write(bytes: Uint8Array | string): Promise<void> | undefined;
  /** Ends the answer, with its last bytes if there are any left. */
  end(bytes?: Uint8Array | string): Promise<void> | undefined;
};

/**
 * An answer has broken off that has no way to say so, as a sound has not. The host must break the connection, so that the
 * caller does not take it for whole.
 */
export class BrokenAnswerError extends Error {}

/** One request on its way through the gateway, with what becomes known of it. */
export type Exchange = {
  request: GatewayRequest;
  sink: Sink;
  caller: Caller;
  snapshot: Snapshot;
  record: RequestRecord;
  timings: Timings;
  /** The caller wants to be told in the body what was asked of whom. */
  metadata: boolean;
};

/** Sends one complete JSON answer. */
export async function sendJson(
  sink: Sink,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<void> {
  sink.head(status, { ...headers, 'content-type': 'application/json' });
  await sink.end(JSON.stringify(body));
}
