import type { Citation } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

/** A citation before it is known which part of the text leans on it. */
export type FoundCitation = Omit<Citation, 'startIndex' | 'endIndex'>;

/** Documents have a title, search results a source, pages of the web a URL. */
export function readCitations(citations: unknown): FoundCitation[] {
  if (!Array.isArray(citations)) return [];
  return citations.filter(isObject).map((citation) => {
    const url = stringOrUndefined(citation['url']) ?? stringOrUndefined(citation['source']);
    const title = stringOrUndefined(citation['title']) ?? stringOrUndefined(citation['document_title']);
    const citedText = stringOrUndefined(citation['cited_text']);
    return { ...(url ? { url } : {}), ...(title ? { title } : {}), ...(citedText ? { citedText } : {}) };
  });
}

/**
 * A citation of another vendor in the form of Anthropic's web search; its `encrypted_index` is empty, since only Anthropic
 * can make one.
 */
export function writeCitation({ url, title, citedText }: Citation): JsonObject {
  return {
    type: 'web_search_result_location',
    url: url ?? '',
    title: title ?? null,
    cited_text: citedText ?? '',
    encrypted_index: '',
  };
}

/** True for citations that `writeCitation` made: they mean nothing to the vendor, and are not sent back. */
export function isWrittenCitation(citation: unknown): boolean {
  return isObject(citation) && citation['encrypted_index'] === '';
}
