import type { Snapshot } from '../../config/snapshot.ts';
import { findProvider } from '../../providers/provider.ts';
import { findRequestedModel, type RequestedModel } from '../../routing/requested-model.ts';
import type { Caller } from '../gateway-deps.ts';
import { GatewayError } from '../gateway-error.ts';
import { mayUse } from './authenticate.ts';

/** OpenAI's model object (https://platform.openai.com/docs/api-reference/models/object). */
export type ModelObject = { id: string; object: 'model'; created: number; owned_by: string };

/** Who asks, with which query. */
export type ModelsAsked = { snapshot: Snapshot; caller: Caller; query: string };

/** A manner of telling about models: all of them, or one under any name that a request may carry. */
export type ModelListManner = { list(asked: ModelsAsked): object; describe(asked: ModelsAsked, name: string): object };

/** The configured models that this caller may use. Targets by `provider/model` work too but cannot be enumerated. */
export function usableModels({ snapshot, caller }: ModelsAsked): string[] {
  return Object.keys(snapshot.models).filter((name) => mayUse(caller, name));
}

/** OpenAI's manner. */
export const openAiModels: ModelListManner = {
  list: (asked) => ({
    object: 'list',
    data: usableModels(asked).map((name) => openAiModels.describe(asked, name)),
  }),
  describe: ({ snapshot, caller }, name) => modelObject(snapshot, name, requireModel(snapshot, name, caller)),
};

/** No provider has longer ones; a name comes back in headers, errors and the log. */
const longestName = 500;

/** What the name of a model stands for; throws `model_not_found` or `model_not_allowed`. */
export function requireModel(snapshot: Snapshot, name: string | undefined, caller: Caller): RequestedModel {
  const wanted = name ?? snapshot.settings.defaultModel;
  if (wanted === undefined) {
    throw new GatewayError('invalid_request', '"model" is missing, and no default model is configured.', {
      param: 'model',
    });
  }
  const isProvider = (provider: string) => findProvider(snapshot, provider) !== undefined;
  const model = wanted.length > longestName ? undefined : findRequestedModel(snapshot, wanted, isProvider);
  if (!model) {
    const hint = 'GET /v1/models lists the configured ones; "provider/model" names one of a provider directly.';
    throw new GatewayError('model_not_found', `The model "${shortened(wanted)}" does not exist here. ${hint}`, {
      param: 'model',
    });
  }
  if (!mayUse(caller, model.name)) {
    throw new GatewayError('model_not_allowed', `This API key may not use the model "${shortened(model.name)}".`, {
      param: 'model',
    });
  }
  return model;
}

function modelObject(snapshot: Snapshot, id: string, model: RequestedModel): ModelObject {
  const created = Math.floor(Date.parse(snapshot.compiledAt) / 1000);
  return { id, object: 'model', created, owned_by: model.targets[0]?.provider ?? 'sluice' };
}

function shortened(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}
