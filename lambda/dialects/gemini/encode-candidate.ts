import type { ChatEvent, Citation } from '../chat-event.ts';
import { isObject, type JsonObject, parseJson } from '../json-value.ts';
import { encodeReason } from './finish-reason.ts';
import { encodeLogprobs } from './logprobs.ts';
import { wrapSecrets } from './signature.ts';
import { encodeSources } from './sources.ts';

export type ChoiceEvent = Extract<ChatEvent, { choice: number }>;

/** Writes one candidate; what an event completes comes back as parts and, with them, other fields of the candidate. */
export type CandidateWriter = { write(event: ChoiceEvent): WrittenPiece };
export type WrittenPiece = { parts: JsonObject[]; fields?: JsonObject };

type OpenCall = { part: JsonObject; call: JsonObject; args: string[] };

/**
 * A call can be written only whole, so it is held until its arguments must be complete: pieces of several calls may
 * alternate, and only something else than a call ends them.
 */
export function candidateWriter(newId: (prefix: string) => string): CandidateWriter {
  const calls = new Map<number, OpenCall>();
  const text: string[] = [];
  const citations: Citation[] = [];
  return {
    write(event) {
      switch (event.type) {
        case 'tool-call':
          calls.set(event.index, openCall(event, newId));
          return { parts: [] };
        case 'tool-arguments':
          calls.get(event.index)?.args.push(event.text);
          return { parts: [] };
        case 'citation':
          citations.push(event.citation);
          return { parts: [] };
        case 'finish': {
          const { parts, isBroken } = closeCalls(calls);
          return { parts, fields: { ...reasonFields(event, isBroken), ...sourceFields(citations, text) } };
        }
        default: {
          const before = closeCalls(calls).parts;
          if (event.type === 'logprobs')
            return { parts: before, fields: { logprobsResult: encodeLogprobs(event.content) } };
          if (event.type === 'text') text.push(event.text);
          return { parts: [...before, encodePart(event)] };
        }
      }
    },
  };
}

function encodePart(
  event: Exclude<ChoiceEvent, { type: 'tool-call' | 'tool-arguments' | 'citation' | 'finish' | 'logprobs' }>,
): JsonObject {
  if (event.type !== 'reasoning') return { text: event.text };
  const thoughtSignature = wrapSecrets(event);
  return { text: event.text ?? '', thought: true, ...(thoughtSignature ? { thoughtSignature } : {}) };
}

function openCall(event: Extract<ChatEvent, { type: 'tool-call' }>, newId: (prefix: string) => string): OpenCall {
  const call = { id: event.id || newId('call_'), name: event.name };
  const thoughtSignature = wrapSecrets({ ...(event.signature ? { signature: event.signature } : {}) });
  return { part: { functionCall: call, ...(thoughtSignature ? { thoughtSignature } : {}) }, call, args: [] };
}

/** A call whose arguments broke off is not written: without them it would ask for something else. */
function closeCalls(calls: Map<number, OpenCall>): { parts: JsonObject[]; isBroken: boolean } {
  if (calls.size === 0) return { parts: [], isBroken: false };
  const all = [...calls].toSorted(([a], [b]) => a - b).map(([, open]) => open);
  calls.clear();
  const parts = all.flatMap(({ part, call, args }) => {
    const parsed = parseJson(args.join('').trim() || '{}');
    return isObject(parsed) ? [{ ...part, functionCall: { ...call, args: parsed } }] : [];
  });
  return { parts, isBroken: parts.length < all.length };
}

function reasonFields({ reason, nativeReason }: Extract<ChatEvent, { type: 'finish' }>, isBroken: boolean): JsonObject {
  if (!isBroken || reason === 'length') return { finishReason: encodeReason(reason, nativeReason) };
  return {
    finishReason: 'MALFORMED_FUNCTION_CALL',
    finishMessage: 'The arguments of a function call are not valid JSON.',
  };
}

function sourceFields(citations: readonly Citation[], text: readonly string[]): JsonObject {
  return citations.length > 0 ? { groundingMetadata: encodeSources(citations, text.join('')) } : {};
}
