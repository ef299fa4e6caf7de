import type { ChatEvent, FinishReason } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import { isComplete, newScan, type QueuedCall, scanJson } from './call-queue.ts';
import { writeCallSignature } from './call-signature.ts';
import { writeCitation } from './citations.ts';
import { writeUsage } from './usage.ts';

/** Turns events of the vocabulary into those of Anthropic's streams, one at a time. */
export type MessageWriter = {
  write(event: ChatEvent): JsonObject[];
  /** What ends the message; nothing when the vendor did not finish it. */
  end(): JsonObject[];
};

type State = {
  answer: AnswerContext;
  started: boolean;
  blocks: number;
  open: 'text' | 'thinking' | 'call' | undefined;
  calls: Map<number, QueuedCall>;
  /** The call that is being written, and those that wait for their turn. */
  active: QueuedCall | undefined;
  queue: QueuedCall[];
  refusal: string[];
  finish: Extract<ChatEvent, { type: 'finish' }> | undefined;
  usage: Extract<ChatEvent, { type: 'usage' }> | undefined;
};

/** Writes the first choice; this dialect's callers cannot ask for more. */
export function messageWriter(answer: AnswerContext): MessageWriter {
  const state: State = {
    answer,
    started: false,
    blocks: 0,
    open: undefined,
    calls: new Map(),
    active: undefined,
    queue: [],
    refusal: [],
    finish: undefined,
    usage: undefined,
  };
  return {
    write: (event) => [
      ...(state.started || event.type === 'error' ? [] : start(state, event)),
      ...('choice' in event && event.choice !== 0 ? [] : writeEvent(state, event)),
    ],
    end: () => end(state),
  };
}

function start(state: State, event: ChatEvent): JsonObject[] {
  const { model, newId } = state.answer;
  const { id, model: answering } = event.type === 'start' ? event : {};
  state.started = true;
  const message = {
    id: id ?? newId('msg_'),
    type: 'message',
    role: 'assistant',
    model: answering ?? model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: writeUsage(undefined),
  };
  return [{ type: 'message_start', message }];
}

function writeEvent(state: State, event: ChatEvent): JsonObject[] {
  switch (event.type) {
    case 'refusal':
      state.refusal.push(event.text);
      return writeText(state, event.text);
    case 'text':
      return writeText(state, event.text);
    case 'reasoning':
      return writeThought(state, event);
    case 'tool-call':
      return queueCall(state, event);
    case 'tool-arguments':
      return writeArguments(state, event);
    case 'citation':
      return [
        ...ensure(state, 'text'),
        delta(state, { type: 'citations_delta', citation: writeCitation(event.citation) }),
      ];
    case 'finish':
      state.finish = event;
      return [];
    case 'usage':
      state.usage = event;
      return [];
    default:
      return [];
  }
}

const emptyBlocks = {
  text: { type: 'text', text: '' },
  thinking: { type: 'thinking', thinking: '', signature: '' },
};

/** Opens a block of this kind unless the open one is of it. */
function ensure(state: State, kind: 'text' | 'thinking'): JsonObject[] {
  if (state.open === kind) return [];
  return [...closeAll(state), ...open(state, kind, emptyBlocks[kind])];
}

function open(state: State, kind: State['open'], block: JsonObject): JsonObject[] {
  state.open = kind;
  return [{ type: 'content_block_start', index: state.blocks++, content_block: block }];
}

function delta(state: State, change: JsonObject): JsonObject {
  return { type: 'content_block_delta', index: state.blocks - 1, delta: change };
}

function close(state: State): JsonObject[] {
  if (state.open === undefined) return [];
  state.open = undefined;
  state.active = undefined;
  return [{ type: 'content_block_stop', index: state.blocks - 1 }];
}

/** Closes the open block, and writes the calls that still waited. */
function closeAll(state: State): JsonObject[] {
  const events = close(state);
  for (let next = state.queue.shift(); next; next = state.queue.shift()) {
    events.push(...openCall(state, next), ...close(state));
  }
  return events;
}

function writeText(state: State, text: string): JsonObject[] {
  return text === '' ? [] : [...ensure(state, 'text'), delta(state, { type: 'text_delta', text })];
}

/** A signature ends its thought; what the vendor shows only encrypted is a block of its own. */
function writeThought(state: State, event: Extract<ChatEvent, { type: 'reasoning' }>): JsonObject[] {
  const { text, signature, redacted } = event;
  const events: JsonObject[] = [];
  if (text) events.push(...ensure(state, 'thinking'), delta(state, { type: 'thinking_delta', thinking: text }));
  if (signature) {
    events.push(...ensure(state, 'thinking'), delta(state, { type: 'signature_delta', signature }), ...close(state));
  }
  if (redacted) events.push(...closeAll(state), ...writeRedacted(state, redacted));
  return events;
}

function writeRedacted(state: State, data: string): JsonObject[] {
  return [...open(state, 'thinking', { type: 'redacted_thinking', data }), ...close(state)];
}

/**
 * Blocks follow one another, while vendors may write several calls at once: a call waits until the arguments of the one
 * before it are complete.
 */
function queueCall(state: State, event: Extract<ChatEvent, { type: 'tool-call' }>): JsonObject[] {
  const { id, name, signature } = event;
  const call: QueuedCall = { id, name, signature, waiting: [], scan: newScan() };
  state.calls.set(event.index, call);
  if (state.active && !isComplete(state.active.scan)) {
    state.queue.push(call);
    return [];
  }
  return [...closeAll(state), ...openCall(state, call)];
}

function openCall(state: State, call: QueuedCall): JsonObject[] {
  const { id, name, signature, waiting } = call;
  const signed = signature ? writeRedacted(state, writeCallSignature(signature)) : [];
  const opened = open(state, 'call', { type: 'tool_use', id, name, input: {} });
  state.active = call;
  return [
    ...signed,
    ...opened,
    ...waiting.map((text) => delta(state, { type: 'input_json_delta', partial_json: text })),
  ];
}

function writeArguments(state: State, { index, text }: Extract<ChatEvent, { type: 'tool-arguments' }>): JsonObject[] {
  const call = state.calls.get(index);
  if (!call || text === '') return [];
  scanJson(call.scan, text);
  if (call !== state.active) {
    call.waiting.push(text);
    return [];
  }
  const events = [delta(state, { type: 'input_json_delta', partial_json: text })];
  while (state.active && isComplete(state.active.scan) && state.queue.length > 0) {
    const next = state.queue.shift();
    if (next) events.push(...close(state), ...openCall(state, next));
  }
  return events;
}

const stopReasons: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};

function end(state: State): JsonObject[] {
  const { finish, usage } = state;
  if (!finish) return [];
  const refusal = state.refusal.join('');
  const reason = refusal && finish.reason === 'stop' ? 'refusal' : stopReason(state, finish);
  const details = { type: 'refusal', category: null, explanation: refusal || null };
  const stop = {
    stop_reason: reason,
    stop_sequence: finish.stopSequence ?? null,
    ...(reason === 'refusal' ? { stop_details: details } : {}),
  };
  return [
    ...closeAll(state),
    { type: 'message_delta', delta: stop, usage: writeUsage(usage?.usage, usage?.serviceTier) },
    { type: 'message_stop' },
  ];
}

/** Anthropic's own reasons, which say more than the unified ones. */
const ownReasons = new Set(['end_turn', 'pause_turn', 'compaction', 'model_context_window_exceeded']);

/** Some vendors say `stop` although they call a tool; callers here go by the reason. */
function stopReason(
  { calls }: State,
  { reason, nativeReason, stopSequence }: Extract<ChatEvent, { type: 'finish' }>,
): string {
  if (nativeReason && ownReasons.has(nativeReason)) return nativeReason;
  if (reason !== 'stop') return stopReasons[reason];
  if (calls.size > 0) return 'tool_use';
  return stopSequence === undefined ? 'end_turn' : 'stop_sequence';
}
