/** Sets a key as the latest of a map, which keeps `most` of them: the one that was set the longest ago makes room. */
export function setLatest<K, V>(map: Map<K, V>, key: K, value: V, most: number): void {
  // What is set again moves to the end.
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
