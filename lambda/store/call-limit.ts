/** A table that does not answer must not hold up anybody for long, retries included. */
const longestCallMs = 2_000;

/** The options of one call of the stats table. */
export function callLimit(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(longestCallMs) };
}
