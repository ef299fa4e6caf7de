import type { IncomingMessage } from 'node:http';
import { parseJson } from '../../dialects/json-value.ts';
import { type AnswerFacts, readChatEvent } from '../../dialects/openai-chat/answer.ts';
import { type EventRun, type EventSplitter, eventSplitter, parseEvent } from '../../dialects/sse-events.ts';
import { classifyErrorInside, type Failure } from '../../routing/failure.ts';

/** A stream whose first content has come: from here on it is the answer. */
export type OpenStream = {
  /** Everything read so far, from the first event on, ready to be relayed. */
  first: EventRun;
  splitter: EventSplitter;
  /** The pieces that follow. */
  pieces: AsyncIterator<Buffer>;
};

const mostHeldBytes = 1024 * 1024;

/**
 * Reads until the first event that carries content. Until then nothing is sent to the caller, so a failure here can
 * still become another attempt.
 */
export async function openStream(response: IncomingMessage): Promise<{ stream: OpenStream } | { failure: Failure }> {
  const splitter = eventSplitter();
  const pieces: AsyncIterator<Buffer> = response[Symbol.asyncIterator]();
  const runs: EventRun[] = [];
  let heldBytes = 0;
  for (;;) {
    const piece = await pieces.next();
    const run = piece.done ? lastRun(splitter) : splitter.push(piece.value);
    if (run) {
      runs.push(run);
      heldBytes += run.bytes.length;
      const facts = firstMeaning(run);
      if (facts?.error) return { failure: { kind: classifyErrorInside(facts.error), status: 200, error: facts.error } };
      if (facts?.content) return { stream: { first: joinRuns(runs), splitter, pieces } };
      if (facts?.done)
        return { failure: { kind: 'bad_response', status: 200, detail: 'The stream ended without an answer' } };
    }
    if (piece.done)
      return { failure: { kind: 'bad_response', status: 200, detail: 'The stream ended before any content' } };
    if (heldBytes > mostHeldBytes)
      return { failure: { kind: 'bad_response', status: 200, detail: 'The stream brought 1 MiB without content' } };
  }
}

/** A last event may come without its blank line when the connection ends; half an event is none. */
export function lastRun(splitter: EventSplitter): EventRun | undefined {
  const { data } = parseEvent(splitter.rest().toString('utf8'));
  const isWhole = data !== undefined && (data.trim() === '[DONE]' || parseJson(data) !== undefined);
  return isWhole ? splitter.push(Buffer.from('\n\n')) : undefined;
}

function firstMeaning(run: EventRun): AnswerFacts | undefined {
  let start = 0;
  for (const end of run.ends) {
    const facts = readChatEvent(run.bytes.toString('utf8', start, end));
    if (facts.error || facts.content || facts.done) return facts;
    start = end;
  }
  return undefined;
}

function joinRuns(runs: EventRun[]): EventRun {
  let shift = 0;
  const ends = runs.flatMap((run) => {
    const shifted = run.ends.map((end) => end + shift);
    shift += run.bytes.length;
    return shifted;
  });
  return { bytes: Buffer.concat(runs.map((run) => run.bytes)), ends };
}
