import type { Citation } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

/** A citation of Converse, which belongs to the text between two positions. */
export function readCitation(value: JsonObject, startIndex: number, endIndex: number): Citation {
  const location = isObject(value['location']) ? value['location'] : {};
  const web = isObject(location['web']) ? location['web'] : {};
  const source = stringOrUndefined(value['source']);
  const url = stringOrUndefined(web['url']) ?? (source && /^https?:\/\//.test(source) ? source : undefined);
  const title = stringOrUndefined(value['title']) ?? source;
  const citedText = textOf(value['sourceContent']);
  return {
    ...(url ? { url } : {}),
    ...(title ? { title } : {}),
    ...(citedText ? { citedText } : {}),
    startIndex,
    endIndex,
  };
}

/** The joined `text` of a list of blocks; other blocks are skipped. */
export function textOf(blocks: unknown): string {
  if (!Array.isArray(blocks)) return '';
  return blocks
    .filter(isObject)
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('');
}
