import type { Sampling } from './chat-request.ts';
import type { JsonObject } from './json-value.ts';
import { RequestProblem } from './request-problem.ts';

type Primitive = { string: string; number: number; boolean: boolean };

/** A field that may be absent or null; anything but its type is the caller's mistake, a `RequestProblem`. */
export function optionalField<T extends keyof Primitive>(
  body: JsonObject,
  name: string,
  type: T,
): Primitive[T] | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type) throw new RequestProblem(`"${name}" must be a ${type}.`, name);
  return value as Primitive[T];
}

const samplingNames = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  seed: 'seed',
} as const satisfies Record<keyof Sampling, string>;

/** How OpenAI's callers, of chat and of completions, write what steers the choice of tokens. */
export function decodeSampling(body: JsonObject): Sampling {
  const entries = Object.entries(samplingNames).map(([ours, theirs]) => [ours, optionalField(body, theirs, 'number')]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** `stop` of chat and of completions: a string or a list of them. */
export function decodeStop(stop: unknown): string[] {
  if (stop === undefined || stop === null) return [];
  const list = Array.isArray(stop) ? stop : [stop];
  if (list.every((one) => typeof one === 'string')) return list;
  throw new RequestProblem('"stop" must be a string or a list of strings.', 'stop');
}
