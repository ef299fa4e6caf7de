/** A table or a secret that does not answer must not hold up anybody for long, retries included. */
export const longestCallMs = 2_000;

/** The options of one call of AWS; when its time is over, it fails with an `AbortError`. */
export function callLimit(limitMs: number): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(limitMs) };
}
