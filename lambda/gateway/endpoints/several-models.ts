import { isObject, parseJson } from '../../dialects/json-value.ts';
import {
  failedChunk,
  type MergedBase,
  type MergedPart,
  mergedAnswer,
  usageChunk,
} from '../../dialects/openai-chat/merge-answers.ts';
import { answerMetadata, withMetadata } from '../answers/answer-metadata.ts';
import { choiceSink, chunkEvent } from '../answers/choice-sink.ts';
import { beginAnswer, relayAnswer, streamSink } from '../answers/deliver-answer.ts';
import type { ClientCall } from '../caller/client-call.ts';
import type { Exchange } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { GatewayError } from '../gateway-error.ts';
import {
  askPart,
  choiceError,
  type FailedPart,
  failPart,
  mergeRecords,
  noneAnswered,
  type Part,
  partOf,
  usageOf,
} from './model-part.ts';

/** Asks several models at once, each by its own plan, and answers as one. Fails only when all of them fail. */
export async function converseWithSeveral(
  call: ClientCall,
  models: readonly string[],
  exchange: Exchange,
  deps: GatewayDeps,
): Promise<void> {
  const parts = models.map((model, index) => partOf({ index, model }, call, exchange, deps));
  const base: MergedBase = { id: `chatcmpl-${deps.newId()}`, createdSeconds: Math.floor(deps.now() / 1000) };
  const merging: Merging = { call, models: models.join(','), parts, base, exchange, deps };
  await (call.stream ? streamMerged(merging) : answerMerged(merging));
}

type Merging = {
  call: ClientCall;
  models: string;
  parts: readonly Part[];
  base: MergedBase;
  exchange: Exchange;
  deps: GatewayDeps;
};

async function answerMerged({ models, parts, base, exchange, deps }: Merging): Promise<void> {
  const { record, timings, request, sink } = exchange;
  const errors: FailedPart[] = [];
  const asked = parts.map(async (part): Promise<MergedPart> => {
    try {
      return await wholePart(part, deps);
    } catch (thrown) {
      const error = failPart(part, thrown);
      errors.push({ part, error });
      return { index: part.index, model: part.model, error: choiceError(error, part) };
    }
  });
  const merged = await timings.during('upstream', () => Promise.all(asked));
  mergeRecords(record, parts);
  if (errors.length === parts.length) throw noneAnswered(record, errors);
  const body = JSON.stringify(mergedAnswer(models, merged, parts.map(usageOf), base));
  record.timeToFirstChunkMs = deps.now() - request.receivedAtMs;
  beginAnswer(exchange, { 'content-type': 'application/json' });
  await sink.end(exchange.metadata ? withMetadata(body, answerMetadata(record)) : body);
}

async function wholePart(part: Part, deps: GatewayDeps): Promise<MergedPart> {
  const { outcome } = await askPart(part, deps);
  if (outcome.kind !== 'buffered') throw new Error('A buffered answer came as a stream');
  Object.assign(part.exchange.record, outcome.facts);
  const answer = parseJson(outcome.body.toString());
  const { index, model } = part;
  return { index, model, dropped: outcome.dropped, answer: isObject(answer) ? answer : {} };
}

/** Each model is streamed as soon as it begins; the first one that does decides that there is an answer. */
async function streamMerged({ call, models, parts, base, exchange, deps }: Merging): Promise<void> {
  const { record, timings, request } = exchange;
  const startedMs = deps.monotonicMs();
  const sink = streamSink(exchange, call.client);
  const early: FailedPart[] = [];
  let hasBegun = false;
  const writeFailure = async ({ part, error }: FailedPart) =>
    sink.write(chunkEvent(failedChunk(choiceError(error, part), part, base)));
  const begin = async () => {
    if (hasBegun) return;
    hasBegun = true;
    timings.add('upstream', deps.monotonicMs() - startedMs);
    mergeRecords(record, parts);
    record.timeToFirstChunkMs = deps.now() - request.receivedAtMs;
    beginAnswer(exchange, { 'content-type': call.client.streamContentType });
    for (const failed of early) await writeFailure(failed);
  };
  const stream = async (part: Part) => {
    const answered = await askPart(part, deps).catch((thrown: unknown) => failPart(part, thrown));
    if (answered instanceof GatewayError) {
      const failed = { part, error: answered };
      return hasBegun ? writeFailure(failed) : void early.push(failed);
    }
    const { target, outcome, settle } = answered;
    if (outcome.kind !== 'streaming') throw new Error('A stream came as a whole');
    await begin();
    const own = choiceSink(sink, { choice: part, base, dropped: outcome.dropped });
    const { error } = await relayAnswer({ ...part.exchange, sink: own }, { target, outcome, settle });
    if (error && !own.hasFinished()) await writeFailure({ part, error });
  };
  const ends = await Promise.allSettled(parts.map(stream));
  mergeRecords(record, parts);
  // Only when none of them writes any more.
  const broken = ends.find((end) => end.status === 'rejected');
  if (broken) await sink.close();
  if (broken) throw broken.reason;
  if (!hasBegun) throw noneAnswered(record, early);
  if (call.wantsUsage) await sink.write(chunkEvent(usageChunk(models, parts.map(usageOf), base)));
  await sink.write('data: [DONE]\n\n');
  await sink.close();
  await sink.end();
}
