import type { FinishReason } from '../chat-event.ts';

/** Names by number, for answers with `enum-encoding=int`; those behind differ between Google's two APIs. */
const namesByNumber = ['FINISH_REASON_UNSPECIFIED', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION'];

/** The vendor's own name of a reason; undefined when there is none yet. */
export function nameOfReason(reason: unknown): string | undefined {
  if (typeof reason === 'string') return reason === '' || reason === namesByNumber[0] ? undefined : reason;
  if (typeof reason !== 'number' || reason === 0) return undefined;
  return namesByNumber[reason] ?? 'OTHER';
}

/**
 * Calls end with `STOP` too. All other reasons say that the vendor withheld the answer or broke it off, malformed calls
 * included (Google's own OpenAI-compatible API calls that `function_call_filter`): never an ordinary stop.
 */
export function decodeReason(name: string, hasCalls: boolean): FinishReason {
  if (name === 'MAX_TOKENS') return 'length';
  if (name !== 'STOP') return 'content_filter';
  return hasCalls ? 'tool_calls' : 'stop';
}

const withheld = new Set([
  ...[
    'SAFETY',
    'RECITATION',
    'LANGUAGE',
    'OTHER',
    'BLOCKLIST',
    'PROHIBITED_CONTENT',
    'SPII',
    'MALFORMED_FUNCTION_CALL',
  ],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION', 'IMAGE_OTHER', 'NO_IMAGE'],
  ...['UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MODEL_ARMOR'],
]);

/** The reason in Google's words, its own where the vendor was Google. */
export function encodeReason(reason: FinishReason, nativeReason: string | undefined): string {
  if (reason === 'length') return 'MAX_TOKENS';
  if (reason !== 'content_filter') return 'STOP';
  return nativeReason !== undefined && withheld.has(nativeReason) ? nativeReason : 'SAFETY';
}
