import { modelTraits } from '../anthropic-messages/claude-models.ts';
import type { ChatRequest } from '../chat-request.ts';
import { isObject, type JsonObject, withoutUndefined } from '../json-value.ts';
import { type ModelFamily, modelFamily } from './model-family.ts';

type OwnName = 'topK' | 'seed' | 'frequencyPenalty' | 'presencePenalty';

/** How the families name what Converse has no place for; the rest of them do not know it. */
const ownNames: Readonly<Partial<Record<ModelFamily, Partial<Record<OwnName, string>>>>> = {
  claude: { topK: 'top_k' },
  mistral: { topK: 'top_k' },
  cohere: { topK: 'k', seed: 'seed', frequencyPenalty: 'frequency_penalty', presencePenalty: 'presence_penalty' },
  ai21: { frequencyPenalty: 'frequency_penalty', presencePenalty: 'presence_penalty' },
};

const callersNames: Readonly<Record<OwnName, string>> = {
  topK: 'top_k',
  seed: 'seed',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
};

type Target = { model: string; unsupported: Set<string> };

/** The sampling parameters that only the model itself knows, for `additionalModelRequestFields`. */
export function ownSampling({ sampling }: ChatRequest, { model, unsupported }: Target): JsonObject {
  const family = modelFamily(model);
  const fields: JsonObject = {};
  for (const name of Object.keys(callersNames) as OwnName[]) {
    const value = sampling[name];
    const ownName = ownNames[family]?.[name];
    if (value === undefined) continue;
    if (ownName) fields[ownName] = value;
    else if (family === 'nova' && name === 'topK') fields['inferenceConfig'] = { topK: value };
    // A penalty of 0 is none.
    else if (value !== 0 || !name.endsWith('Penalty')) unsupported.add(callersNames[name]);
  }
  return fields;
}

/** `inferenceConfig` and the model's own fields without what the model refuses, beside or without its thoughts. */
export function encodeSampling(
  request: ChatRequest,
  reasoning: { fields: JsonObject; maxTokens?: number },
  target: Target,
): { config: JsonObject; fields: JsonObject } {
  const { sampling, maxOutputTokens, stop } = request;
  const config = withoutUndefined({
    maxTokens: reasoning.maxTokens ?? maxOutputTokens,
    temperature: sampling.temperature,
    topP: sampling.topP,
    stopSequences: stop.length > 0 ? stop : undefined,
  });
  const fields = ownSampling(request, target);
  const drop = (from: JsonObject, field: string, callersName: string) => {
    // 1 is what a model has anyway.
    if (from[field] !== undefined && from[field] !== 1) target.unsupported.add(callersName);
    delete from[field];
  };
  const family = modelFamily(target.model);
  if (family === 'claude') {
    const { samplers } = modelTraits(target.model);
    const thinks = isThinking(reasoning.fields['thinking']);
    if (samplers === 0 || thinks) {
      drop(config, 'temperature', 'temperature');
      drop(fields, 'top_k', 'top_k');
    }
    if (samplers === 0 || (thinks && Number(config['topP']) < 0.95)) drop(config, 'topP', 'top_p');
    // The two together are refused by most.
    if (samplers === 1 && config['topP'] !== undefined && config['temperature'] !== undefined) {
      if (config['temperature'] === 1) drop(config, 'temperature', 'temperature');
      else drop(config, 'topP', 'top_p');
    }
  }
  const nova = reasoning.fields['reasoningConfig'];
  if (isObject(nova) && nova['maxReasoningEffort'] === 'high') {
    // https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    drop(config, 'temperature', 'temperature');
    drop(config, 'topP', 'top_p');
    drop(config, 'maxTokens', 'max_completion_tokens');
  }
  return { config, fields };
}

function isThinking(thinking: unknown): boolean {
  return isObject(thinking) && (thinking['type'] === 'enabled' || thinking['type'] === 'adaptive');
}
