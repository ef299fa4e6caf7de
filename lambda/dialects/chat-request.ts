import type { JsonObject } from './json-value.ts';

/**
 * A chat request in the neutral vocabulary that every dialect decodes into and encodes from. What is undefined was not
 * said, and is not sent. Never changed once decoded: each attempt encodes its own body.
 */
export type ChatRequest = {
  /** As the caller named it; the target's own name is given to the encoder. */
  model: string | undefined;
  messages: readonly Message[];
  tools: readonly Tool[];
  toolChoice: ToolChoice | undefined;
  parallelToolCalls: boolean | undefined;
  responseFormat: ResponseFormat | undefined;
  sampling: Sampling;
  maxOutputTokens: number | undefined;
  stop: readonly string[];
  /** How many answers are wanted (`n`); 1 when not said. */
  choices: number;
  /** Set when log probabilities are wanted: how many alternatives for each token. */
  topLogprobs: number | undefined;
  reasoning: Reasoning | undefined;
  stream: boolean;
  /** Whether a streamed answer shall report usage; only OpenAI's callers have to ask. */
  includeUsage: boolean;
  user: string | undefined;
  metadata: Readonly<Record<string, string>> | undefined;
  serviceTier: string | undefined;
  /** Keeps requests that share a prefix together, for the vendor's prompt cache (`prompt_cache_key`). */
  promptCacheKey: string | undefined;
  /** Top-level fields without a place above, by the dialect that they were written in; its encoder adds them again. */
  extensions: Readonly<Partial<Record<DialectName, JsonObject>>>;
};

export type DialectName =
  | 'openai-chat'
  | 'openai-completions'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'gemini'
  | 'bedrock-converse'
  | 'cohere-chat'
  | 'replicate';

/** `system` and `developer` messages stay where they stood; a dialect that knows no such place moves them to the front. */
export type Message = { role: 'system' | 'developer' | 'user' | 'assistant'; parts: readonly Part[]; name?: string };

/** Where the caller wants the vendor's prompt cache to reach; `ttl` as Anthropic writes it (`5m`, `1h`). */
export type CacheHint = { ttl?: string };

export type TextPart = { type: 'text'; text: string; cache?: CacheHint };
/** Bytes are base64 text without a `data:` prefix. */
export type MediaSource =
  | { kind: 'url'; url: string }
  | { kind: 'base64'; mediaType: string; data: string }
  | { kind: 'id'; id: string };
export type ImagePart = { type: 'image'; source: MediaSource; detail?: string; cache?: CacheHint };
/** `format` as OpenAI names it: `wav`, `mp3`, … */
export type AudioPart = { type: 'audio'; format: string; data: string };
export type FilePart = { type: 'file'; source: MediaSource; name?: string; cache?: CacheHint };
/** `arguments` is JSON text; `signature` must return to the vendor that made it, unchanged. */
export type ToolCallPart = {
  type: 'tool-call';
  id: string;
  name: string;
  arguments: string;
  signature?: string;
  cache?: CacheHint;
};
/** Stands in a `user` message. `name` is the tool's, where the dialect tells it. */
export type ToolResultPart = {
  type: 'tool-result';
  callId: string;
  name?: string;
  content: readonly (TextPart | ImagePart | FilePart)[];
  isError?: boolean;
  cache?: CacheHint;
};
/** Thoughts of the model. `redacted` is encrypted text; `id` is that of a Responses item. */
export type ReasoningPart = { type: 'reasoning'; text: string; signature?: string; redacted?: string; id?: string };
export type RefusalPart = { type: 'refusal'; text: string };

export type Part =
  | TextPart
  | ImagePart
  | AudioPart
  | FilePart
  | ToolCallPart
  | ToolResultPart
  | ReasoningPart
  | RefusalPart;

/** A function that the model may call; `parameters` is JSON Schema. */
export type Tool = { name: string; description?: string; parameters?: JsonObject; strict?: boolean; cache?: CacheHint };
export type ToolChoice = { type: 'auto' } | { type: 'none' } | { type: 'required' } | { type: 'tool'; name: string };

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json' }
  | { type: 'json-schema'; name: string; schema: JsonObject; strict?: boolean; description?: string };

export type Sampling = {
  temperature?: number;
  topP?: number;
  topK?: number;
  frequencyPenalty?: number;
  presencePenalty?: number;
  seed?: number;
};

/** How much the model shall think: in words, in tokens, or both as far as the caller said it. `none` switches it off. */
export type Reasoning = {
  effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  budgetTokens?: number;
  /** Whether the caller wants to read the thoughts, and how (`auto`, `concise`, `detailed`). */
  summary?: string;
};
