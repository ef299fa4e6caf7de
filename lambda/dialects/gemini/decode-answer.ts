import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import type { Usage } from '../usage.ts';
import { readErrorInside } from './errors.ts';
import { decodeReason, nameOfReason } from './finish-reason.ts';
import { decodeLogprobs } from './logprobs.ts';
import { addPartialArguments } from './partial-arguments.ts';
import { decodeServiceTier } from './service-tier.ts';
import { unwrapSecrets } from './signature.ts';
import { collectSources, decodeSources, type Sources } from './sources.ts';
import { decodeUsage } from './usage.ts';

/** Reads an answer from its `GenerateContentResponse`s; a buffered answer is one of them, a stream is many. */
export type AnswerReader = {
  read(response: JsonObject): ChatEvent[];
  /** What is known only when nothing follows: sources, how each choice finished, the last usage. */
  end(): ChatEvent[];
};

type Choice = {
  choice: number;
  calls: number;
  /** A call whose arguments are still being streamed. */
  open: JsonObject | undefined;
  reason: string | undefined;
  sources: Sources;
  text: string[];
};

/** More choices than any model gives; higher numbers are taken for the position. */
const mostChoices = 64;

export function answerReader(): AnswerReader {
  const choices = new Map<number, Choice>();
  let id: string | undefined;
  let isStarted = false;
  let usage: Usage | undefined;
  let tier: string | undefined;

  const choiceAt = (choice: number): Choice => {
    const known = choices.get(choice);
    if (known) return known;
    const sources = { grounding: [], citations: [] };
    const made: Choice = { choice, calls: 0, open: undefined, reason: undefined, sources, text: [] };
    choices.set(choice, made);
    return made;
  };

  return {
    read(response) {
      if (isFailure(response)) return [{ type: 'error', error: readErrorInside(response) }];
      id ??= stringOrUndefined(response['responseId']);
      const events: ChatEvent[] = isStarted ? [] : [startOf(response)];
      isStarted = true;
      usage = decodeUsage(response['usageMetadata']) ?? usage;
      const { usageMetadata, promptFeedback } = response;
      tier = (isObject(usageMetadata) ? decodeServiceTier(usageMetadata['serviceTier']) : undefined) ?? tier;
      if (isObject(promptFeedback)) events.push(...readBlock(promptFeedback, choiceAt(0)));
      const candidates = Array.isArray(response['candidates']) ? response['candidates'] : [];
      candidates.forEach((candidate, position) => {
        if (isObject(candidate)) events.push(...readCandidate(candidate, choiceAt(indexOf(candidate, position)), id));
      });
      return events;
    },
    end() {
      const events = [...choices.values()].toSorted((a, b) => a.choice - b.choice).flatMap(endChoice);
      if (usage) events.push({ type: 'usage', usage, ...(tier ? { serviceTier: tier } : {}) });
      return events;
    },
  };
}

function isFailure({ error }: JsonObject): boolean {
  return error !== undefined && error !== null;
}

function startOf({ responseId, modelVersion, createTime }: JsonObject): ChatEvent {
  const created = typeof createTime === 'string' ? Math.floor(Date.parse(createTime) / 1000) : Number.NaN;
  return {
    type: 'start',
    id: stringOrUndefined(responseId),
    model: stringOrUndefined(modelVersion),
    ...(Number.isNaN(created) ? {} : { createdSeconds: created }),
  };
}

function indexOf({ index }: JsonObject, position: number): number {
  return typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < mostChoices ? index : position;
}

/** A blocked prompt has no candidates at all. */
function readBlock({ blockReason, blockReasonMessage }: JsonObject, state: Choice): ChatEvent[] {
  if (blockReason === undefined || blockReason === null || blockReason === 'BLOCK_REASON_UNSPECIFIED') return [];
  state.reason ??= typeof blockReason === 'string' ? blockReason : 'SAFETY';
  const message = stringOrUndefined(blockReasonMessage);
  return message ? [{ type: 'refusal', choice: state.choice, text: message }] : [];
}

function readCandidate(candidate: JsonObject, state: Choice, id: string | undefined): ChatEvent[] {
  const { content } = candidate;
  const parts = isObject(content) && Array.isArray(content['parts']) ? content['parts'] : [];
  const events = parts.filter(isObject).flatMap((part) => readPart(part, state, id));
  const logprobs = decodeLogprobs(candidate['logprobsResult']);
  if (logprobs) events.push({ type: 'logprobs', choice: state.choice, content: logprobs });
  collectSources(candidate, state.sources);
  state.reason = nameOfReason(candidate['finishReason']) ?? state.reason;
  return events;
}

/** Parts of other kinds (code that ran at Google, its own tools, images) have no place in the vocabulary. */
function readPart(part: JsonObject, state: Choice, id: string | undefined): ChatEvent[] {
  const { choice } = state;
  if (isObject(part['functionCall'])) return readCall(part['functionCall'], part, state, id);
  const { text } = part;
  const written = typeof text === 'string' ? text : '';
  if (part['thought'] === true) {
    const thought = { ...(written ? { text: written } : {}), ...unwrapSecrets(part['thoughtSignature']) };
    return Object.keys(thought).length > 0 ? [{ type: 'reasoning', choice, ...thought }] : [];
  }
  if (text === undefined && Object.keys(part).some((key) => key !== 'thoughtSignature')) return [];
  const events: ChatEvent[] = [];
  if (written !== '') {
    state.text.push(written);
    events.push({ type: 'text', choice, text: written });
  }
  const secrets = unwrapSecrets(part['thoughtSignature']);
  if (Object.keys(secrets).length > 0) events.push({ type: 'reasoning', choice, ...secrets });
  return events;
}

/** A call comes whole, or, from Vertex AI on demand, as its name, pieces of its arguments, and an empty one as the end. */
function readCall(call: JsonObject, part: JsonObject, state: Choice, id: string | undefined): ChatEvent[] {
  const { choice } = state;
  const name = stringOrUndefined(call['name']);
  const events: ChatEvent[] = name === undefined ? [] : closeCall(state);
  if (name !== undefined) {
    const index = state.calls++;
    const { signature } = unwrapSecrets(part['thoughtSignature']);
    events.push({
      type: 'tool-call',
      choice,
      index,
      // Older models give calls no ids.
      id: stringOrUndefined(call['id']) ?? `call_${id ?? ''}_${choice}_${index}`,
      name,
      ...(signature ? { signature } : {}),
    });
    state.open = isObject(call['args']) ? call['args'] : {};
  }
  if (state.open) addPartialArguments(state.open, call['partialArgs']);
  if (call['willContinue'] !== true) events.push(...closeCall(state));
  return events;
}

function closeCall(state: Choice): ChatEvent[] {
  if (!state.open) return [];
  const text = JSON.stringify(state.open);
  state.open = undefined;
  return [{ type: 'tool-arguments', choice: state.choice, index: state.calls - 1, text }];
}

function endChoice(state: Choice): ChatEvent[] {
  const { choice, reason, sources } = state;
  const events = reason === undefined ? [] : closeCall(state);
  if (sources.grounding.length > 0 || sources.citations.length > 0) {
    const citations = decodeSources(sources, state.text.join(''));
    events.push(...citations.map((citation): ChatEvent => ({ type: 'citation', choice, citation })));
  }
  if (reason === undefined) return events;
  events.push({ type: 'finish', choice, reason: decodeReason(reason, state.calls > 0), nativeReason: reason });
  return events;
}
