import type { IncomingMessage } from 'node:http';
import type { Sink } from '../exchange.ts';
import type { AnswerWindow } from './answer-window.ts';
import type { RelayedStream, RelayGuard } from './relay-stream.ts';
import { withoutSecrets } from './without-secrets.ts';

/** Bytes on their way: those that were read already, and those that follow. */
export type OpenBytes = { first: readonly Buffer[]; pieces: AsyncIterator<Buffer>; window: AnswerWindow };

/** The pieces of an answer as they come, but for what must not be told. */
export function piecesOf(response: IncomingMessage, secrets: readonly string[]): AsyncIterator<Buffer> {
  return withoutSecrets(response[Symbol.asyncIterator](), secrets);
}

const errorEvent = /^event:\s*error\b|"type"\s*:\s*"error"/m;

/** Passes every byte on as it comes, at the caller's pace. */
export async function relayBytes(
  { first, pieces, window }: OpenBytes,
  sink: Sink,
  guard: RelayGuard,
): Promise<RelayedStream> {
  const pass = async (piece: Buffer): Promise<void> => {
    window.push(piece);
    const slow = sink.write(piece);
    if (slow === undefined) return;
    guard.pause();
    await slow;
    guard.progress();
  };
  for (const piece of first) await pass(piece);
  for (;;) {
    const next = await pieces.next();
    guard.progress();
    if (next.done) break;
    await pass(next.value);
  }
  return { ...window.facts(), failure: undefined };
}

/** As `relayBytes` for events, whose last one may say that the answer has failed. */
export async function relayEventBytes(open: OpenBytes, sink: Sink, guard: RelayGuard): Promise<RelayedStream> {
  const facts = await relayBytes(open, sink, guard);
  if (!open.window.endHolds(errorEvent)) return facts;
  return { ...facts, failure: { kind: 'server_error', status: 200, detail: 'It ended with an error' }, told: true };
}
