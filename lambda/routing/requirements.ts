import type { Capability } from '../config/routing-schema.ts';
import type { TargetFacts } from '../config/snapshot.ts';
import type { RoutingRequest } from './routing-request.ts';

const told: Readonly<Record<Capability, string>> = {
  tools: 'call tools',
  vision: 'see images',
  audio: 'hear audio',
  files: 'read files',
  jsonSchema: 'answer by a JSON Schema',
};

/** The tokens of a prompt are estimated by its bytes, which may be so much too many. */
const surelyTokens = 0.7;

/** Why a target cannot serve a request, as far as it is known; undefined when it may. */
export function whyIncapable(
  { capabilities = {}, contextTokens = Infinity }: TargetFacts,
  { needs = [], inputTokens }: Pick<RoutingRequest, 'needs' | 'inputTokens'>,
): string | undefined {
  const missing = needs.find((need) => capabilities[need] === false);
  if (missing) return `its model cannot ${told[missing]}`;
  if (inputTokens * surelyTokens > contextTokens)
    return `its context of ${contextTokens} tokens is too small for about ${inputTokens}`;
  return undefined;
}

/** Whether a target is known to be able to do all, and has room for the answer that was asked for; the others come later. */
export function isSurelyCapable(
  { capabilities = {}, contextTokens }: TargetFacts,
  { needs = [], inputTokens, maxOutputTokens = 0 }: Pick<RoutingRequest, 'needs' | 'inputTokens' | 'maxOutputTokens'>,
): boolean {
  if (contextTokens !== undefined && inputTokens + maxOutputTokens > contextTokens) return false;
  return needs.every((need) => capabilities[need] === true);
}

/** What of a request's needs a target is not known to meet, in words; undefined when it meets them all. */
export function unknownNeed(
  { capabilities = {} }: TargetFacts,
  { needs = [] }: Pick<RoutingRequest, 'needs'>,
): string | undefined {
  const unknown = needs.find((need) => capabilities[need] !== true);
  return unknown && told[unknown];
}
