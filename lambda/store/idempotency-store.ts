/** A finished answer as it went to the caller. */
export type KeptAnswer = {
  /** The request that it was the answer to. */
  requestId: string;
  status: number;
  headers: Record<string, string>;
  body: Uint8Array;
};

/** Who wants to answer: `id` names caller and key, `fingerprint` what was asked, `owner` this one request. */
export type Claim = { id: string; fingerprint: string; owner: string; nowMs: number; leaseUntilMs: number };

/** Whether a claim was won, or what stands in its way. */
export type ClaimOutcome =
  /** `again` when the same was answered before, by an answer that was not kept. */
  | { state: 'claimed'; again: boolean }
  | { state: 'running'; fingerprint: string }
  | { state: 'answered'; fingerprint: string; answer: KeptAnswer }
  /** Answered, by one that was not kept, and the question was another. */
  | { state: 'unkept'; fingerprint: string };

/** What is known by a claim that was won, until its lease ends. */
export type Held = Pick<Claim, 'id' | 'owner'>;

/**
 * Remembers for a day which requests were answered, and how. The first write is conditional, so of two requests with the
 * same key only one is answered, and it wins however often its claim is sent; a claim whose process died ends with its
 * lease. What an owner writes after it lost its claim has no effect.
 */
export type IdempotencyStore = {
  claim(claim: Claim): Promise<ClaimOutcome>;
  /** Holds the claim for longer. */
  renew(held: Held, leaseUntilMs: number): Promise<void>;
  /** Keeps the answer; without one only that there was an answer. */
  finish(held: Held, answer: KeptAnswer | undefined, nowMs: number): Promise<void>;
  /** Lets go, so that the next request with this key is answered. */
  release(held: Held): Promise<void>;
};

/** How long an answer is kept. */
export const keptForMs = 24 * 60 * 60 * 1000;
