import type { KeptAnswer } from '../store/idempotency-store.ts';
import type { Sink } from './exchange.ts';

/** Larger answers are not kept: a stream of about 16,000 tokens, or an answer with a large picture. */
export const mostKeptBytes = 4 * 1024 * 1024;

export type Recording = {
  requestId: string;
  /** Further headers of the answer. */
  headers: Record<string, string>;
  /** Takes the whole answer before its end is sent. */
  settle(answer: KeptAnswer | 'too large' | undefined): Promise<void>;
};

/** Passes everything on, and remembers it. */
export function recordingSink(
  sink: Sink,
  { requestId, headers: added, settle }: Recording,
): Sink & { hasEnded(): boolean } {
  let head: Pick<KeptAnswer, 'status' | 'headers'> | undefined;
  let pieces: (Uint8Array | string)[] = [];
  let bytes = 0;
  let hasEnded = false;
  const remember = (piece: Uint8Array | string) => {
    bytes += Buffer.byteLength(piece);
    if (bytes <= mostKeptBytes) pieces.push(piece);
    else pieces = [];
  };
  const answer = (): KeptAnswer | 'too large' | undefined => {
    if (!head) return undefined;
    if (bytes > mostKeptBytes) return 'too large';
    return { ...head, requestId, body: Buffer.concat(pieces.map((piece) => Buffer.from(piece as string))) };
  };
  return {
    hasEnded: () => hasEnded,
    head(status, headers) {
      head = { status, headers };
      sink.head(status, { ...headers, ...added });
    },
    write(piece) {
      remember(piece);
      return sink.write(piece);
    },
    async end(piece) {
      if (piece !== undefined) remember(piece);
      hasEnded = true;
      await settle(answer());
      await sink.end(piece);
    },
  };
}
