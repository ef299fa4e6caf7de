/** A suggestion is a courtesy; comparing with more names than this would cost more than it helps. */
const maxCompared = 50;

/** `; did you mean "openai"?` when a candidate is a few keystrokes away from `name`, else nothing. */
export function suggestion(name: string, candidates: ReadonlySet<string> | readonly string[]): string {
  const closest = closestName(name, likelyNames(name, candidates));
  return closest === undefined ? '' : `; did you mean "${closest}"?`;
}

/** Of many names the first that begin alike: few slips are in the first letter. */
function likelyNames(name: string, candidates: ReadonlySet<string> | readonly string[]): string[] {
  const count = 'size' in candidates ? candidates.size : candidates.length;
  if (count <= maxCompared) return [...candidates];
  const likely: string[] = [];
  for (const candidate of candidates) {
    if (candidate[0] === name[0]) likely.push(candidate);
    if (likely.length === maxCompared) break;
  }
  return likely;
}

function closestName(name: string, candidates: string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
