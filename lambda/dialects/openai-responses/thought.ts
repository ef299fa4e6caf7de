import { isObject, type JsonObject } from '../json-value.ts';

/** What stands between two paragraphs of a thought: each part of a summary is one. */
export const betweenThoughts = '\n\n';

/** The readable text of a reasoning item: its summary, or the thought itself where a vendor shows it. */
export function thoughtOf(item: JsonObject): string {
  return ['summary', 'content']
    .map((field) => textsOf(item[field]).join(betweenThoughts))
    .filter((text) => text !== '')
    .join(betweenThoughts);
}

function textsOf(parts: unknown): string[] {
  if (!Array.isArray(parts)) return [];
  return parts.filter(isObject).flatMap(({ text }) => (typeof text === 'string' && text !== '' ? [text] : []));
}
