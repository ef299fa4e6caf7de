import { EventStreamError, readEventFrames } from '../aws-event-stream.ts';
import type { ChatEvent } from '../chat-event.ts';
import { isObject, type JsonObject, parseJson } from '../json-value.ts';
import { readCitation } from './citations.ts';
import { callEvent, isCallersTool } from './decode-response.ts';
import { readFrameError } from './errors.ts';
import { readFinish } from './finish.ts';
import { readThought } from './reasoning-content.ts';
import { readUsage } from './usage.ts';

/**
 * The block under way. Blocks come one after the other; those of text and thoughts begin with their first delta,
 * without a `contentBlockStart`.
 */
type OpenBlock = {
  index: unknown;
  call: { index: number; hasArguments: boolean } | undefined;
  /** Citations come before the text that they belong to, so they wait for the end of the block. */
  citations: JsonObject[];
  textStart: number;
};

type Progress = { block: OpenBlock | undefined; calls: number; textLength: number };

/** The events of an answer of `ConverseStream`. */
export async function* decodeConverseStream(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ChatEvent> {
  const progress: Progress = { block: undefined, calls: 0, textLength: 0 };
  try {
    for await (const frame of readEventFrames(bytes)) {
      const error = readFrameError(frame);
      if (error) {
        yield { type: 'error', error };
        return;
      }
      const event = parseJson(frame.payload.toString('utf8'));
      if (!isObject(event)) continue;
      for (const chatEvent of eventsOf(frame.headers.get(':event-type'), event, progress)) {
        yield chatEvent;
        if (chatEvent.type === 'error') return;
      }
    }
  } catch (error) {
    if (!(error instanceof EventStreamError)) throw error;
    yield {
      type: 'error',
      error: { message: error.message, type: 'event_stream_error', param: undefined, code: undefined },
    };
  }
}

function eventsOf(type: string | undefined, event: JsonObject, progress: Progress): ChatEvent[] {
  switch (type) {
    case 'messageStart':
      return [{ type: 'start', id: undefined, model: undefined }];
    case 'contentBlockStart':
      return startBlock(event, progress);
    case 'contentBlockDelta':
      return [...enterBlock(event, progress), ...deltaEvents(event['delta'], progress)];
    case 'contentBlockStop':
      return endBlock(progress);
    case 'messageStop': {
      const finish = readFinish(event);
      return [...endBlock(progress), ...(finish ? [finish] : [])];
    }
    case 'metadata': {
      const usage = readUsage(event);
      return usage ? [usage] : [];
    }
    default:
      return [];
  }
}

function startBlock(event: JsonObject, progress: Progress): ChatEvent[] {
  const ended = endBlock(progress);
  const toolUse = isObject(event['start']) ? event['start']['toolUse'] : undefined;
  progress.block = newBlock(event, progress);
  if (!isCallersTool(toolUse)) return ended;
  progress.block.call = { index: progress.calls++, hasArguments: false };
  return [...ended, callEvent(toolUse, progress.block.call.index)];
}

function newBlock(event: JsonObject, progress: Progress): OpenBlock {
  return { index: event['contentBlockIndex'], call: undefined, citations: [], textStart: progress.textLength };
}

function enterBlock(event: JsonObject, progress: Progress): ChatEvent[] {
  if (progress.block && progress.block.index === event['contentBlockIndex']) return [];
  const ended = endBlock(progress);
  progress.block = newBlock(event, progress);
  return ended;
}

function deltaEvents(delta: unknown, progress: Progress): ChatEvent[] {
  const { block } = progress;
  if (!block || !isObject(delta)) return [];
  const { text, toolUse, citation, reasoningContent } = delta;
  if (typeof text === 'string' && text !== '') {
    progress.textLength += text.length;
    return [{ type: 'text', choice: 0, text }];
  }
  if (block.call && isObject(toolUse) && typeof toolUse['input'] === 'string' && toolUse['input'] !== '') {
    block.call.hasArguments = true;
    return [{ type: 'tool-arguments', choice: 0, index: block.call.index, text: toolUse['input'] }];
  }
  if (isObject(citation)) block.citations.push(citation);
  const thought = readThought(reasoningContent);
  return thought ? [{ type: 'reasoning', choice: 0, ...thought }] : [];
}

function endBlock(progress: Progress): ChatEvent[] {
  const { block, textLength } = progress;
  progress.block = undefined;
  if (!block) return [];
  const events: ChatEvent[] = block.citations.map((citation) => ({
    type: 'citation',
    choice: 0,
    citation: readCitation(citation, block.textStart, textLength),
  }));
  // A call without arguments comes without any delta.
  if (block.call && !block.call.hasArguments) {
    events.push({ type: 'tool-arguments', choice: 0, index: block.call.index, text: '{}' });
  }
  return events;
}
