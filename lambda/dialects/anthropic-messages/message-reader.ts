import type { ChatEvent, FinishReason } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { type FoundCitation, readCitations } from './citations.ts';
import { readStreamError } from './errors.ts';
import { jsonAnswerTool } from './json-answer.ts';
import { readServiceTier, readUsage } from './usage.ts';

/** Turns the events of Anthropic's streams into those of the vocabulary, one at a time. */
export type MessageReader = {
  read(event: JsonObject): ChatEvent[];
  /** What was counted, once nothing follows. */
  usage(): ChatEvent[];
};

/** What is known of a block between its start and its stop. */
type Block =
  | { type: 'text'; start: number; citations: FoundCitation[] }
  /** `index` is undefined for the call whose arguments are the answer. */
  | { type: 'call'; index: number | undefined; input: unknown; written: boolean };

type State = {
  open: Map<unknown, Block>;
  counted: JsonObject;
  textLength: number;
  calls: number;
  answersInJson: boolean;
};

const finishReasons: Readonly<Record<string, FinishReason>> = {
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

/** Reads a message, streamed or whole: a whole one is the same events in a row. */
export function messageReader(): MessageReader {
  const state: State = { open: new Map(), counted: {}, textLength: 0, calls: 0, answersInJson: false };
  return { read: (event) => readEvent(state, event), usage: () => usageOf(state) };
}

/** Pings, and events and blocks that are not known yet, give nothing. */
function readEvent(state: State, event: JsonObject): ChatEvent[] {
  const { index, delta, message, content_block: block } = event;
  switch (event['type']) {
    case 'message_start':
      return isObject(message) ? startMessage(state, message) : [];
    case 'content_block_start':
      return isObject(block) ? startBlock(state, index, block) : [];
    case 'content_block_delta':
      return isObject(delta) ? addToBlock(state, index, delta) : [];
    case 'content_block_stop':
      return stopBlock(state, index);
    case 'message_delta':
      count(state, event['usage']);
      return isObject(delta) ? finish(state, delta) : [];
    default:
      if (event['type'] !== 'error' && !isObject(event['error'])) return [];
      return [...usageOf(state), { type: 'error', error: readStreamError(event) }];
  }
}

function startMessage(state: State, message: JsonObject): ChatEvent[] {
  count(state, message['usage']);
  return [{ type: 'start', id: stringOrUndefined(message['id']), model: stringOrUndefined(message['model']) }];
}

function startBlock(state: State, index: unknown, block: JsonObject): ChatEvent[] {
  switch (block['type']) {
    case 'text':
      state.open.set(index, { type: 'text', start: state.textLength, citations: readCitations(block['citations']) });
      return addText(state, block['text']);
    case 'thinking':
      return [...thought('text', block['thinking']), ...thought('signature', block['signature'])];
    case 'redacted_thinking':
      return thought('redacted', block['data']);
    case 'tool_use':
      return startCall(state, index, block);
    default:
      return [];
  }
}

function startCall(state: State, index: unknown, block: JsonObject): ChatEvent[] {
  const name = stringOrUndefined(block['name']) ?? '';
  const isAnswer = name === jsonAnswerTool;
  const call = isAnswer ? undefined : state.calls++;
  state.answersInJson ||= isAnswer;
  state.open.set(index, { type: 'call', index: call, input: block['input'], written: false });
  if (call === undefined) return [];
  const id = stringOrUndefined(block['id']) ?? `toolu_${call}`;
  return [{ type: 'tool-call', choice: 0, index: call, id, name }];
}

function addToBlock(state: State, index: unknown, delta: JsonObject): ChatEvent[] {
  const block = state.open.get(index);
  switch (delta['type']) {
    case 'text_delta':
      return addText(state, delta['text']);
    case 'input_json_delta':
      return block?.type === 'call' ? addArguments(state, block, delta['partial_json']) : [];
    case 'thinking_delta':
      return thought('text', delta['thinking']);
    case 'signature_delta':
      return thought('signature', delta['signature']);
    case 'citations_delta':
      if (block?.type === 'text') block.citations.push(...readCitations([delta['citation']]));
      return [];
    default:
      return [];
  }
}

function addText(state: State, piece: unknown): ChatEvent[] {
  if (typeof piece !== 'string' || piece === '') return [];
  state.textLength += piece.length;
  return [{ type: 'text', choice: 0, text: piece }];
}

function addArguments(state: State, block: Extract<Block, { type: 'call' }>, piece: unknown): ChatEvent[] {
  if (typeof piece !== 'string' || piece === '') return [];
  block.written = true;
  if (block.index === undefined) return addText(state, piece);
  return [{ type: 'tool-arguments', choice: 0, index: block.index, text: piece }];
}

/** Citations wait for the end of their block, which is where they end; arguments that never came are those of the start. */
function stopBlock(state: State, index: unknown): ChatEvent[] {
  const block = state.open.get(index);
  state.open.delete(index);
  if (block?.type === 'call' && !block.written) {
    return addArguments(state, block, JSON.stringify(isObject(block.input) ? block.input : {}));
  }
  if (block?.type !== 'text') return [];
  const span = { startIndex: block.start, endIndex: state.textLength };
  return block.citations.map((citation) => ({ type: 'citation', choice: 0, citation: { ...citation, ...span } }));
}

function finish(state: State, delta: JsonObject): ChatEvent[] {
  const native = stringOrUndefined(delta['stop_reason']);
  if (native === undefined) return [];
  const isAnswer = native === 'tool_use' && state.answersInJson && state.calls === 0;
  const reason = isAnswer ? 'stop' : (finishReasons[native] ?? 'stop');
  const stopSequence = stringOrUndefined(delta['stop_sequence']);
  return [
    ...[...state.open.keys()].flatMap((index) => stopBlock(state, index)),
    ...explanation(delta['stop_details']),
    { type: 'finish', choice: 0, reason, nativeReason: native, ...(stopSequence ? { stopSequence } : {}) },
  ];
}

function usageOf({ counted }: State): ChatEvent[] {
  const usage = readUsage(counted);
  const serviceTier = readServiceTier(counted);
  return usage ? [{ type: 'usage', usage, ...(serviceTier ? { serviceTier } : {}) }] : [];
}

/** Later counts replace earlier ones: they are totals. */
function count(state: State, usage: unknown): void {
  if (!isObject(usage)) return;
  for (const [name, value] of Object.entries(usage)) if (value !== null) state.counted[name] = value;
}

function thought(field: 'text' | 'signature' | 'redacted', value: unknown): ChatEvent[] {
  return typeof value === 'string' && value !== '' ? [{ type: 'reasoning', choice: 0, [field]: value }] : [];
}

/** Why the model refused, where it says so. */
function explanation(details: unknown): ChatEvent[] {
  const text = isObject(details) ? stringOrUndefined(details['explanation']) : undefined;
  return text ? [{ type: 'refusal', choice: 0, text }] : [];
}
