import { isObject, type JsonObject } from '../json-value.ts';
import { addUsage, type Usage } from '../usage.ts';
import { encodeUsage } from './encode-answer.ts';

/** One of several models that were asked the same: its place among the choices, and the name the caller gave it. */
export type ModelChoice = { index: number; model: string };
/** `dropped`: the parameters that were left out for this model. */
type AnsweredChoice = ModelChoice & { dropped: readonly string[] };

/** What is the same for all chunks of one stream, and for one answer. */
export type MergedBase = { id: string; createdSeconds: number };

/** An error as it stands beside a choice; at the top of a chunk it would end the whole stream for the SDKs. */
export type ChoiceError = { message: string; type: string; param: string | null; code: string };

/** A model's chunk as a chunk of the merged stream; undefined for one that is not about its choice. */
export function mergedChunk(
  chunk: JsonObject,
  choice: AnsweredChoice,
  base: MergedBase,
): (JsonObject & { choices: JsonObject[] }) | undefined {
  const choices = ownChoices(chunk, choice);
  if (choices.length === 0) return undefined;
  const { usage: _, ...rest } = chunk;
  return { ...rest, ...chunkBase(base, choice.model), choices };
}

/** The chunk by which a choice ends that its model could not bring to an end. */
export function failedChunk(error: ChoiceError, { index, model }: ModelChoice, base: MergedBase): JsonObject {
  // The SDKs' helpers want to have seen a role, and this may be all that comes of the choice.
  const delta = { role: 'assistant' };
  const choice = { index, delta, logprobs: null, finish_reason: 'error', model, error };
  return { ...chunkBase(base, model), choices: [choice] };
}

/** The chunk that reports the usage of all models. */
export function usageChunk(models: string, usages: readonly ModelUsage[], base: MergedBase): JsonObject {
  return { ...chunkBase(base, models), choices: [], ...mergedUsage(usages) };
}

export type ModelUsage = { model: string; responseModel: string | undefined; usage: Usage | undefined };

/** What came of one model: its complete answer, or why there is none. */
export type MergedPart = (AnsweredChoice & { answer: JsonObject }) | (ModelChoice & { error: ChoiceError });

/** One answer of several models: a choice for each, in the order in which they were named. */
export function mergedAnswer(
  models: string,
  parts: readonly MergedPart[],
  usages: readonly ModelUsage[],
  base: MergedBase,
): JsonObject {
  const errors = parts.flatMap((part) =>
    'error' in part ? [{ model: part.model, index: part.index, ...part.error }] : [],
  );
  return {
    id: base.id,
    object: 'chat.completion',
    created: base.createdSeconds,
    model: models,
    choices: parts.flatMap((part) => ('answer' in part ? ownChoices(part.answer, part) : [failedChoice(part)])),
    ...mergedUsage(usages),
    ...(errors.length > 0 ? { errors } : {}),
  };
}

function chunkBase({ id, createdSeconds }: MergedBase, model: string): JsonObject {
  return { id, object: 'chat.completion.chunk', created: createdSeconds, model };
}

/** One choice was asked for; a vendor that sends more must not write into those of others. */
function ownChoices({ choices }: JsonObject, { index, model, dropped }: AnsweredChoice): JsonObject[] {
  const named = dropped.length > 0 ? { dropped_parameters: dropped } : {};
  const sent = Array.isArray(choices) ? choices.filter(isObject) : [];
  return sent.filter((choice) => (choice['index'] ?? 0) === 0).map((choice) => ({ ...choice, index, model, ...named }));
}

function failedChoice({ index, model, error }: ModelChoice & { error: ChoiceError }): JsonObject {
  const message = { role: 'assistant', content: null, refusal: null };
  return { index, message, logprobs: null, finish_reason: 'error', model, error };
}

/** The sum of what is known, and what each model reported. */
function mergedUsage(usages: readonly ModelUsage[]): JsonObject {
  const known = usages.flatMap(({ usage }) => (usage ? [usage] : []));
  const [first, ...others] = known;
  if (!first) return {};
  return {
    usage: encodeUsage(others.reduce(addUsage, first)),
    usage_details: usages.flatMap(({ model, responseModel, usage }) =>
      usage ? [{ model, ...(responseModel ? { response_model: responseModel } : {}), ...encodeUsage(usage) }] : [],
    ),
  };
}
