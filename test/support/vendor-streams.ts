import type { ChatEvent } from '../../lambda/dialects/chat-event.ts';
import type { VendorDialect } from '../../lambda/dialects/dialect.ts';

/** The bytes as the network may deliver them, a piece at a time. */
export async function* inPieces(...pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

/** All events that a vendor's dialect reads out of these pieces of its stream. */
export async function decodedStream(
  dialect: Pick<VendorDialect, 'decodeStream'>,
  ...pieces: readonly (string | Uint8Array)[]
): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of dialect.decodeStream(inPieces(...pieces))) events.push(event);
  return events;
}
