import { calcPrice } from '@pydantic/genai-prices';
import type { TargetFacts } from '../config/snapshot.ts';
import { catalogueEntry } from '../providers/catalogue.ts';

/** Small, since some prices rise with the length of the prompt. */
const pricedTokens = 1_000;
const perMillion = 1_000_000 / pricedTokens;

/**
 * What the library knows of a model: US dollars per million tokens, and its context window. Nothing, where it knows the
 * model not at that vendor: the price of a name elsewhere may be another.
 */
export function libraryFacts(providerType: string, model: string): TargetFacts {
  const providerId = catalogueEntry(providerType)?.pricesId;
  if (providerId === undefined) return {};
  const usage = { input_tokens: pricedTokens, output_tokens: pricedTokens };
  const known = calcPrice(usage, model, { providerId });
  if (!known) return {};
  const { context_window: contextTokens } = known.model;
  const { input_price: input, output_price: output } = known;
  const isPriced = input > 0 || output > 0;
  return {
    ...(isPriced && { price: { input: rounded(input * perMillion), output: rounded(output * perMillion) } }),
    ...(contextTokens !== undefined && { contextTokens }),
  };
}

/** Dollars to a millionth: what floating point adds behind would make equal configurations differ. */
function rounded(usd: number): number {
  return Math.round(usd * 1_000_000) / 1_000_000;
}
