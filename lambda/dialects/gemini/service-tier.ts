import { stringOrUndefined } from '../json-value.ts';

/** Google says `standard` where OpenAI says `default`; the other tiers have the same names. */
export function decodeServiceTier(tier: unknown): string | undefined {
  const name = stringOrUndefined(tier)?.toLowerCase();
  if (name === undefined || name === 'unspecified') return undefined;
  return name === 'standard' ? 'default' : name;
}

/** The tier in Google's words; undefined for `auto`, which leaves the choice to the vendor. */
export function encodeServiceTier(tier: string | undefined): string | undefined {
  if (tier === 'default') return 'standard';
  return tier === 'auto' ? undefined : tier;
}
