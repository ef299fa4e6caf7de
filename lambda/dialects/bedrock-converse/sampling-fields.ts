import type { ChatRequest } from '../chat-request.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { claudeVersion, type ModelFamily, modelFamily } from './model-family.ts';

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

/** The sampling parameters that only the model itself knows, for `additionalModelRequestFields`. */
export function ownSampling({ sampling }: ChatRequest, model: string, unsupported: Set<string>): JsonObject {
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

/** `inferenceConfig`, without what the model refuses. */
export function inferenceConfig(request: ChatRequest, model: string, unsupported: Set<string>): JsonObject {
  const { sampling, maxOutputTokens, stop } = request;
  const config: JsonObject = {};
  if (maxOutputTokens !== undefined) config['maxTokens'] = maxOutputTokens;
  if (sampling.temperature !== undefined) config['temperature'] = sampling.temperature;
  if (sampling.topP !== undefined) config['topP'] = sampling.topP;
  if (stop.length > 0) config['stopSequences'] = stop;
  // The newer Claude models refuse the two together; 1 is what they have anyway.
  if (modelFamily(model) === 'claude' && sampling.temperature !== undefined && sampling.topP !== undefined) {
    if (sampling.topP === 1) delete config['topP'];
    else if (sampling.temperature === 1) delete config['temperature'];
    else if ((claudeVersion(model) ?? 0) >= 401) {
      delete config['topP'];
      unsupported.add('top_p');
    }
  }
  return config;
}

/** Takes out what a model refuses while it thinks, and says so unless it changes nothing. */
export function withoutRefusedByThinking(body: JsonObject, unsupported: Set<string>): void {
  const config = isObject(body['inferenceConfig']) ? body['inferenceConfig'] : {};
  const fields = isObject(body['additionalModelRequestFields']) ? body['additionalModelRequestFields'] : {};
  const drop = (from: JsonObject, field: string, callersName: string) => {
    if (from[field] !== undefined && from[field] !== 1) unsupported.add(callersName);
    delete from[field];
  };
  const thinking = isObject(fields['thinking']) ? fields['thinking']['type'] : undefined;
  if (thinking === 'enabled' || thinking === 'adaptive') {
    // https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
    drop(config, 'temperature', 'temperature');
    drop(fields, 'top_k', 'top_k');
    if (typeof config['topP'] === 'number' && config['topP'] < 0.95) drop(config, 'topP', 'top_p');
  }
  const nova = isObject(fields['reasoningConfig']) ? fields['reasoningConfig'] : {};
  if (nova['maxReasoningEffort'] === 'high') {
    // https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    drop(config, 'temperature', 'temperature');
    drop(config, 'topP', 'top_p');
    drop(config, 'maxTokens', 'max_completion_tokens');
  }
}
