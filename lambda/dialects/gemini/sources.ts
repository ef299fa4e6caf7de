import type { Citation } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined, withoutUndefined } from '../json-value.ts';

/** What a candidate says about its sources, collected over its events. */
export type Sources = { grounding: JsonObject[]; citations: JsonObject[] };

/** Takes up the sources that one event of a candidate names. */
export function collectSources(candidate: JsonObject, sources: Sources): void {
  const { groundingMetadata: grounding, citationMetadata: cited } = candidate;
  if (isObject(grounding)) sources.grounding.push(grounding);
  if (!isObject(cited)) return;
  // Older models wrote `citationSources`.
  sources.citations.push(...listOf(cited['citations'] ?? cited['citationSources']));
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The citations, each once; `text` is the whole text of the candidate. */
export function decodeSources({ grounding, citations }: Sources, text: string): Citation[] {
  const offset = charOffsets(text);
  const found = new Map<string, Citation>();
  const add = (citation: Citation) => found.set(JSON.stringify(citation), citation);
  for (const { uri, title, startIndex, endIndex } of citations) {
    const place = endIndex === undefined ? {} : { startIndex: offset(startIndex), endIndex: offset(endIndex) };
    add({ ...withoutUndefined({ url: stringOrUndefined(uri), title: stringOrUndefined(title) }), ...place });
  }
  const chunkLists = grounding.map(({ groundingChunks: chunks }) =>
    (Array.isArray(chunks) ? chunks : []).map(decodeChunk),
  );
  const used = new Set<string>();
  grounding.forEach((metadata, at) => {
    for (const { segment, groundingChunkIndices: indices } of listOf(metadata['groundingSupports'])) {
      const place = isObject(segment) ? placeOf(segment, text, offset) : {};
      for (const index of Array.isArray(indices) ? indices : []) {
        const chunk = chunkLists[at]?.[index as number];
        if (chunk === undefined) continue;
        used.add(JSON.stringify(chunk));
        add({ ...chunk, ...place });
      }
    }
  });
  for (const chunk of chunkLists.flat()) {
    if (Object.keys(chunk).length > 0 && !used.has(JSON.stringify(chunk))) add(chunk);
  }
  return [...found.values()];
}

function decodeChunk(chunk: unknown): Citation {
  const source = isObject(chunk) ? (chunk['web'] ?? chunk['retrievedContext'] ?? chunk['maps']) : undefined;
  if (!isObject(source)) return {};
  return withoutUndefined({
    url: stringOrUndefined(source['uri']),
    title: stringOrUndefined(source['title']),
    citedText: stringOrUndefined(source['text']),
  });
}

/** Where a segment stands; its own text decides when the numbers point elsewhere, as they do behind other parts. */
function placeOf(segment: JsonObject, text: string, offset: (bytes: unknown) => number): Citation {
  const written = stringOrUndefined(segment['text']);
  const startIndex = offset(segment['startIndex']);
  const endIndex = offset(segment['endIndex']);
  if (written === undefined || text.slice(startIndex, endIndex) === written) return { startIndex, endIndex };
  const found = text.indexOf(written);
  return found < 0 ? {} : { startIndex: found, endIndex: found + written.length };
}

/** Google counts bytes of UTF-8 (https://ai.google.dev/api/generate-content#Segment). */
function charOffsets(text: string): (bytes: unknown) => number {
  const bytes = Buffer.from(text);
  if (bytes.length === text.length)
    return (at) => (typeof at === 'number' ? Math.min(Math.max(at, 0), text.length) : 0);
  return (at) => (typeof at === 'number' ? bytes.toString('utf8', 0, Math.max(at, 0)).length : 0);
}

/** Citations as `groundingMetadata`, positions in bytes of `text`. */
export function encodeSources(citations: readonly Citation[], text: string): JsonObject {
  const chunks = new Map<string, { index: number; chunk: JsonObject }>();
  const supports: JsonObject[] = [];
  for (const { url: uri, title, citedText, startIndex, endIndex } of citations) {
    const source = withoutUndefined({ uri, title, text: citedText });
    const key = JSON.stringify(source);
    const known = chunks.get(key);
    const index = known?.index ?? chunks.size;
    if (!known)
      chunks.set(key, { index, chunk: citedText === undefined ? { web: source } : { retrievedContext: source } });
    if (endIndex === undefined) continue;
    const start = startIndex ?? 0;
    const segment = {
      startIndex: Buffer.byteLength(text.slice(0, start)),
      endIndex: Buffer.byteLength(text.slice(0, endIndex)),
      text: text.slice(start, endIndex),
    };
    supports.push({ segment, groundingChunkIndices: [index] });
  }
  return {
    groundingChunks: [...chunks.values()].map(({ chunk }) => chunk),
    ...(supports.length > 0 ? { groundingSupports: supports } : {}),
  };
}
