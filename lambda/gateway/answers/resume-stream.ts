import type { ChatEvent } from '../../dialects/chat-event.ts';
import { type Comparison, type PartialAnswer, partialAnswer } from '../../dialects/partial-answer.ts';
import { addUsage } from '../../dialects/usage.ts';
import { UpstreamError } from '../../providers/upstream.ts';
import type { Failure } from '../../routing/failure.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import { reactions } from '../../routing/reaction.ts';
import { targetName } from '../../routing/target-name.ts';
import type { AttemptRecord } from '../../telemetry/request-record.ts';
import type { AskedModel } from '../ask-model.ts';
import { type AttemptContext, type AttemptOutcome, failureOfConnection, tellable } from '../attempts/attempt.ts';
import type { Guard } from '../attempts/guard.ts';
import { type PlanOutcome, runPlan } from '../attempts/run-plan.ts';
import { answerContext, chatOperation } from '../attempts/vendor-request.ts';
import type { ClientCall } from '../caller/client-call.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { continuedCall, withoutUnseen } from './continued-request.ts';
import type { Relay, RelayedStream } from './relay-stream.ts';
import { Interrupted, type OpenEvents, readOn, writeEncoded } from './translated-answer.ts';

/** An answer that breaks off is taken up at most so often. */
const mostResumptions = 2;

type Streaming = Extract<AttemptOutcome, { kind: 'streaming' }>;

/** A stream in the middle of a conversation: what it brings, and what of it the caller shall have. */
type Source = {
  target: PlannedAttempt;
  opened: OpenEvents;
  guard: Guard;
  secret: string | undefined;
  record: AttemptRecord | undefined;
  settle: PlanOutcome['settle'];
  /** What of an event is new to the caller; undefined when the answer is no sequel of what the caller has. */
  take(event: ChatEvent): ChatEvent[] | undefined;
  close(): void;
};

/**
 * A relay that, when its stream breaks off, asks the next target and goes on with its answer, if that is a sequel of
 * what the caller has already. Otherwise it ends as a relay does that knows no other target.
 */
export function resumableRelay(
  { target, outcome, settle, record, plan, context }: AskedModel & { outcome: Streaming & { opened: OpenEvents } },
  deps: GatewayDeps,
  records: AttemptRecord[],
): Relay {
  const { conversation: call } = context.operation;
  if (!call) return outcome.relay;
  return async (sink) => {
    const partial = partialAnswer();
    const resumption = newResumption({ call, first: target, plan: plan.attempts, partial, context, records }, deps);
    // The first one belongs to whoever called the relay.
    const take: Source['take'] = (event) => [event];
    let source = sourceOf({ target, outcome, settle, record, take, close: () => {} });
    const facts: RelayedStream = { failure: undefined };

    async function* wholeAnswer(): AsyncGenerator<ChatEvent> {
      let told: Failure | undefined;
      for (;;) {
        const failure = yield* goOn(source, partial, context.signal);
        collect(facts, source);
        if (!failure) break;
        noteEnd(source, failure);
        told ??= failure;
        source.close();
        const next = await resumption(failure);
        if (!next) {
          facts.failure = told;
          throw new Interrupted();
        }
        source = next;
      }
      const { usage, finishReason } = source.opened.facts;
      source.settle({ usage });
      facts.finishReason = finishReason;
      if (usage) yield { type: 'usage', usage };
    }

    try {
      const encoded = call.client.encodeStream(wholeAnswer(), answerContext(call, target.model, deps));
      await writeEncoded(encoded, sink, () => source.guard);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
    } finally {
      source.close();
    }
    return facts;
  };
}

type SourceParts = Pick<Source, 'target' | 'record' | 'settle' | 'take' | 'close'> & {
  outcome: Streaming & { opened: OpenEvents };
};

function sourceOf({ outcome, ...parts }: SourceParts): Source {
  const { opened, guard, secret } = outcome;
  return { opened, guard, secret, ...parts };
}

/** What a source brings that is new to the caller, then why it broke off, if it did. Usage waits for the end. */
async function* goOn(
  { opened, guard, secret, take }: Source,
  partial: PartialAnswer,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent, Failure | undefined> {
  const events = readOn(opened, guard);
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) return next.value && tellable(next.value, secret);
      if (next.value.type === 'usage') continue;
      const news = take(next.value);
      if (!news) return differs;
      for (const event of news) {
        partial.add(event);
        yield event;
      }
    }
  } catch (error) {
    return failureOfConnection(error, signal);
  }
}

/** The answer of another target that says something else than what the caller has. */
const differs: Failure = { kind: 'bad_response', status: 200, detail: 'Its answer differs from what was sent already' };

function noteEnd({ record, opened, settle }: Source, failure: Failure): void {
  // What differs is as good an answer as any, only not for this caller.
  settle(failure === differs ? {} : { failure });
  if (!record) return;
  record.brokeOff = failure === differs ? 'differs' : failure.kind;
  record.usage = opened.facts.usage;
}

/** The record counts what all of them cost; the answer is that of the first. */
function collect(facts: RelayedStream, { opened, record }: Source): void {
  const { usage, responseModel } = opened.facts;
  if (record && facts.usage) record.usage = usage;
  facts.usage = facts.usage && usage ? addUsage(facts.usage, usage) : (usage ?? facts.usage);
  facts.responseModel ??= responseModel;
}

type ResumptionParts = {
  call: ClientCall;
  first: PlannedAttempt;
  plan: readonly PlannedAttempt[];
  partial: PartialAnswer;
  context: AttemptContext;
  records: AttemptRecord[];
};

/** Finds the next source after a failure, as long as there is a target, time, and a caller. */
function newResumption(parts: ResumptionParts, deps: GatewayDeps): (failure: Failure) => Promise<Source | undefined> {
  const { plan, call, partial, context } = parts;
  // What was asked may be a copy, with the limits of an attempt that finds out whether a target is up again.
  const place = plan.findIndex((planned) => targetName(planned) === targetName(parts.first));
  const first = plan[place] ?? parts.first;
  // The first one again comes last.
  let left = [...plan.slice(place + 1), first];
  let resumed = 0;
  return async (failure) => {
    // Nothing has been resumed yet: it is the first one that fell silent.
    if (failure.kind === 'timeout' && resumed === 0) left = left.filter((target) => target !== first);
    if (reactions[failure.kind].next !== 'next_target') return undefined;
    for (;;) {
      const isOver = context.signal.aborted || deps.now() >= context.deadlineMs || resumed >= mostResumptions;
      const [chosen, ...others] = left.flatMap((target) => wayToGoOn(target, partial, call) ?? []);
      if (isOver || !chosen) return undefined;
      left = others.map(({ target }) => target);
      const source = await askToGoOn(chosen, left[0], parts, deps);
      if (!source) continue;
      resumed++;
      return source;
    }
  };
}

/** Asks a target; where another one stands by, it is neither waited for nor asked although it is down. */
async function askToGoOn(
  { target, call, take }: WayToGoOn,
  standby: PlannedAttempt | undefined,
  { context, records }: ResumptionParts,
  deps: GatewayDeps,
): Promise<Source | undefined> {
  const again = { ...context, answerByMs: context.deadlineMs, operation: chatOperation(call), standby };
  const result = await runPlan([target], again, deps, records);
  if (result?.outcome.kind !== 'streaming') return undefined;
  const { outcome, settle, record } = result;
  const { opened, guard, exchange } = outcome;
  const close = () => {
    guard.stop();
    exchange.abort(new UpstreamError('connection', 'The answer is over'));
  };
  if (opened) return sourceOf({ target, outcome: { ...outcome, opened }, settle, record, take, close });
  close();
  return undefined;
}

type WayToGoOn = { target: PlannedAttempt; call: ClientCall; take: Source['take'] };

/** Asks it to go on where it can, else to say it all again; undefined when neither can lead to a sequel. */
function wayToGoOn(target: PlannedAttempt, partial: PartialAnswer, call: ClientCall): WayToGoOn | undefined {
  const text = target.continuesPartial ? partial.onlyText() : undefined;
  const continuation = text === undefined ? undefined : continuedCall(call, text);
  if (continuation) return { target, call: continuation.call, take: takeContinuation(continuation.unseen) };
  if (!partial.isRepeatable()) return undefined;
  const comparison: Comparison = partial.compare();
  return { target, call, take: comparison.take };
}

function takeContinuation(unseen: string): Source['take'] {
  const cut = withoutUnseen(unseen);
  return (event) => {
    // Thoughts behind words that the caller has would stand in the wrong place.
    if (event.type === 'start' || event.type === 'reasoning') return [];
    if (event.type !== 'text') return [event];
    const text = cut(event.text);
    return text === '' ? [] : [{ ...event, text }];
  };
}
