import type { JsonObject } from './json-value.ts';
import type { ProviderError } from './provider-error.ts';
import type { Usage } from './usage.ts';

/**
 * A piece of an answer in the neutral vocabulary; a buffered answer is the same events in a row. `choice` counts the
 * answers asked for by `n`, from 0. Order: `start` first, then content, `finish` for each choice, `usage` at last.
 */
export type ChatEvent =
  | { type: 'start'; id: string | undefined; model: string | undefined; createdSeconds?: number }
  | { type: 'text'; choice: number; text: string }
  /** A piece of thought, its signature when it is complete, or a thought that the vendor shows only encrypted. */
  | { type: 'reasoning'; choice: number; text?: string; signature?: string; redacted?: string; id?: string }
  /** A call begins; `index` counts the calls of this choice from 0. */
  | { type: 'tool-call'; choice: number; index: number; id: string; name: string; signature?: string }
  /** A piece of the JSON text of a call's arguments. */
  | { type: 'tool-arguments'; choice: number; index: number; text: string }
  | { type: 'citation'; choice: number; citation: Citation }
  | { type: 'refusal'; choice: number; text: string }
  /** In OpenAI's form: `{ token, logprob, bytes, top_logprobs }` for each token. */
  | { type: 'logprobs'; choice: number; content: readonly JsonObject[] }
  | { type: 'finish'; choice: number; reason: FinishReason; nativeReason: string | undefined; stopSequence?: string }
  | { type: 'usage'; usage: Usage; serviceTier?: string }
  /** The vendor failed inside its answer. Nothing follows. */
  | { type: 'error'; error: ProviderError };

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** A source that the answer leans on; positions count characters of the choice's text. */
export type Citation = { url?: string; title?: string; citedText?: string; startIndex?: number; endIndex?: number };

/** True for what a caller waits for; before it a failure can still become another attempt. */
export function isContent(event: ChatEvent): boolean {
  return event.type !== 'start' && event.type !== 'usage' && event.type !== 'error';
}
