/**
 * Code that is loaded when it is first asked for, and at hand from then on. Most functions speak two or three of the
 * dialects, and every start would pay for all of them.
 */
export function onDemand<T>(load: () => Promise<T>): () => T | Promise<T> {
  let loaded: T | undefined;
  return () => loaded ?? load().then((value) => (loaded = value));
}
