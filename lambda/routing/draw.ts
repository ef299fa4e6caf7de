/** mulberry32: many numbers in [0, 1) from the one that the caller gave. */
export function seededRandom(entropy: number): () => number {
  let state = Math.floor(entropy * 0x1_0000_0000);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** A number in [0, 1) that is the same for the same text, and evenly spread over different ones: FNV-1a, mixed. */
export function hashed(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

/**
 * Where something stands when many are drawn without replacement, each time in proportion to the weights that are left:
 * in ascending order of u^(1/w) (Efraimidis and Spirakis; the logarithm is exact near 1). Weight 0 comes last. With a
 * hash of a name and a session for `u` this is weighted rendezvous hashing: while weights change a little, a session
 * keeps its place.
 */
export function drawnPlace(u: number, weight: number): number {
  return weight > 0 ? -Math.log(1 - u) / weight : Infinity;
}
