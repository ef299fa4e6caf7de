import type { ReasoningPart } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

type Thought = { text?: string; signature?: string; redacted?: string };

/** Reads `reasoningContent`, of a block or of a delta; undefined when it carries nothing. */
export function readThought(value: unknown): Thought | undefined {
  if (!isObject(value)) return undefined;
  const plain = isObject(value['reasoningText']) ? value['reasoningText'] : value;
  const text = stringOrUndefined(plain['text']);
  const signature = stringOrUndefined(plain['signature']);
  const redacted = stringOrUndefined(value['redactedContent']);
  if (!text && !signature && !redacted) return undefined;
  return {
    ...(text ? { text } : {}),
    ...(signature ? { signature } : {}),
    ...(redacted ? { redacted: Buffer.from(redacted, 'base64').toString('latin1') } : {}),
  };
}

/**
 * A thought of an earlier turn for Bedrock. The bytes of `redactedContent` are the text that Anthropic itself calls
 * `data`, so a conversation can go on there and here; latin1 keeps every byte of what other models may send.
 */
export function writeThought({ text, signature, redacted }: ReasoningPart): JsonObject {
  if (redacted !== undefined) {
    return { reasoningContent: { redactedContent: Buffer.from(redacted, 'latin1').toString('base64') } };
  }
  return { reasoningContent: { reasoningText: { text, ...(signature ? { signature } : {}) } } };
}
