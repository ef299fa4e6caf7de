import { isObject, parseJson } from '../../dialects/json-value.ts';
import type { Exchange } from '../exchange.ts';
import { GatewayError } from '../gateway-error.ts';
import type { ClientCall } from './client-call.ts';
import { requireModel } from './models.ts';

/** So many models are asked at once at most. */
export const mostModels = 8;

/**
 * The names of several models in a request, `a,b`; undefined when it names one or none. Throws for what cannot be
 * answered, before any model is asked: what is wrong with one name is wrong with the request.
 */
export function severalModels(call: ClientCall, { snapshot, caller }: Exchange): readonly string[] | undefined {
  const names = call.model?.split(',').map((name) => name.trim());
  if (!names || names.length === 1) return undefined;
  if (call.client.name !== 'openai-chat') {
    throw mistake('Several models at once can be asked in chat completions only. Name one model here.');
  }
  if (names.includes('')) throw mistake('"model" is a list with an empty name.');
  if (names.length > mostModels) throw mistake(`"model" names ${names.length} models; ${mostModels} are the most.`);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw mistake(`"model" names "${twice.slice(0, 200)}" twice; each answers once.`);
  const body = parseJson(call.text);
  const wanted = isObject(body) ? (body['n'] ?? 1) : 1;
  if (wanted !== 1) throw mistake('"n" must be 1 when several models are asked: each gives one choice.', 'n');
  for (const name of names) requireModel(snapshot, name, caller);
  return names;
}

function mistake(message: string, param = 'model'): GatewayError {
  return new GatewayError('invalid_request', message, { param });
}
