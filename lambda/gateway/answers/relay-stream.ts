import { type AnswerFacts, holdsFacts, looksWhole, readChatEvent } from '../../dialects/openai-chat/answer.ts';
import { BrokenEventError, type EventRun } from '../../dialects/sse-events.ts';
import type { Usage } from '../../dialects/usage.ts';
import { classifyErrorInside, type Failure } from '../../routing/failure.ts';
import type { Guard } from '../attempts/guard.ts';
import type { Sink } from '../exchange.ts';
import { type ChoiceWatch, watchChoices } from './choice-watch.ts';
import { lastRun, type OpenStream } from './open-stream.ts';

/** What the log says of an answer. */
export type RelayedFacts = {
  usage?: Usage | undefined;
  finishReason?: string | undefined;
  responseModel?: string | undefined;
  /** The vendor counts no tokens; `usage` is a guess of ours. */
  estimated?: true;
};

/** What a relayed stream turned out to be, known when it has ended. */
export type RelayedStream = RelayedFacts & {
  /** Set when the stream did not end as an answer must; the caller has not been told yet. */
  failure: Failure | undefined;
  /** The caller has been told already, by the vendor's own error event. */
  told?: true;
};

/** Sends the rest of an answer that has begun. */
export type Relay = (sink: Sink, guard: RelayGuard) => Promise<RelayedStream>;
export type RelayGuard = Pick<Guard, 'expect' | 'progress' | 'pause'>;

export type RelayOptions = {
  /** Pass on the event that only reports usage. */
  keepUsageEvent: boolean;
  /** Several choices were asked for, so each event must be read: the stream is whole when all that began have finished. */
  severalChoices: boolean;
  guard: RelayGuard;
};

/** How long the connection may stay open behind the end marker: the caller waits for it, and nothing is missing. */
const longestEndMs = 1_000;

/** Passes the vendor's bytes on unchanged, whole events at a time, and reads on the way how the answer ends. */
export async function relayStream(stream: OpenStream, sink: Sink, options: RelayOptions): Promise<RelayedStream> {
  const relayed: RelayedStream = {
    usage: undefined,
    finishReason: undefined,
    responseModel: undefined,
    failure: undefined,
  };
  const { guard, severalChoices } = options;
  const choices = watchChoices();
  let done = false;
  const pass = (run: EventRun): Promise<void> | undefined => {
    if (!severalChoices && run !== stream.first && isPlain(run)) return sink.write(run.bytes);
    const { bytes, ended } = sift(run, relayed, choices, options);
    if (ended && !done) guard.expect('end of the stream', longestEndMs);
    const slow = bytes.length > 0 ? sink.write(bytes) : undefined;
    done ||= ended;
    return slow;
  };
  const patiently = async (slow: Promise<void>): Promise<void> => {
    guard.pause();
    await slow;
    guard.progress();
  };

  try {
    const begun = pass(stream.first);
    if (begun !== undefined) await patiently(begun);
    while (!relayed.failure) {
      const piece = await stream.pieces.next();
      if (!isPing(piece.value)) guard.progress();
      const run = piece.done ? lastRun(stream.splitter) : stream.splitter.push(piece.value);
      const slow = run && pass(run);
      if (slow !== undefined) await patiently(slow);
      if (piece.done) break;
    }
  } catch (error) {
    // After the end marker nothing is missing, however the connection closes.
    if (!done) throw error;
  }
  if (relayed.failure) return relayed;
  if (!done && (relayed.finishReason === undefined || choices.areOpen())) {
    return {
      ...relayed,
      failure: { kind: 'connection', status: 200, detail: 'The stream ended in the middle of the answer' },
    };
  }
  if (!done) await sink.write('data: [DONE]\n\n');
  return relayed;
}

const colon = 58;

/** A comment keeps a connection open and brings nothing; a vendor that sends only such is silent. */
function isPing(piece: Buffer | undefined): boolean {
  return piece !== undefined && piece[0] === colon && !piece.includes('data:');
}

/** Nothing in it but content, as far as a look without parsing can tell. */
function isPlain({ bytes, ends }: EventRun): boolean {
  const text = bytes.toString('latin1');
  return !holdsFacts(text) && looksWhole(text, ends);
}

/** Reads every event of a run into `relayed` and leaves out what the caller must not see. */
function sift(
  run: EventRun,
  relayed: RelayedStream,
  choices: ChoiceWatch,
  { keepUsageEvent }: RelayOptions,
): { bytes: Buffer; ended: boolean } {
  const kept: Buffer[] = [];
  let start = 0;
  let ended = false;
  for (const end of run.ends) {
    const event = run.bytes.subarray(start, end);
    start = end;
    const facts = readOrFail(event, relayed);
    if (!facts) break;
    collect(facts, relayed);
    for (const choice of facts.choices?.begun ?? []) choices.begin(choice);
    for (const choice of facts.choices?.finished ?? []) choices.finish(choice);
    if (relayed.failure) break;
    if (!facts.usageOnly || keepUsageEvent) kept.push(event);
    ended ||= facts.done;
  }
  const whole = kept.length === run.ends.length;
  return { bytes: whole ? run.bytes : Buffer.concat(kept), ended };
}

/** An event that is broken ends the answer; those before it are the caller's all the same. */
function readOrFail(event: Buffer, relayed: RelayedStream): AnswerFacts | undefined {
  try {
    return readChatEvent(event.toString('utf8'));
  } catch (error) {
    if (!(error instanceof BrokenEventError)) throw error;
    relayed.failure = { kind: 'bad_response', status: 200, detail: error.message };
    return undefined;
  }
}

function collect(facts: AnswerFacts, relayed: RelayedStream): void {
  relayed.usage = facts.usage ?? relayed.usage;
  relayed.finishReason = facts.finishReason ?? relayed.finishReason;
  relayed.responseModel ??= facts.responseModel;
  if (facts.error) relayed.failure = { kind: classifyErrorInside(facts.error), status: 200, error: facts.error };
}
