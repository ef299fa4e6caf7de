import { isObject, type JsonObject } from '../../dialects/json-value.ts';
import type { PercentileLimits, Preferences } from '../../routing/preferences.ts';
import { GatewayError } from '../gateway-error.ts';

const pricedHere = ['prompt', 'completion'];
const mostNames = 100;
const sorts = ['price', 'throughput', 'latency'] as const;
const percentiles = ['p50', 'p75', 'p90', 'p99'] as const;

type Reader = (value: unknown, field: string) => Partial<Preferences> | undefined;

/** OpenRouter's fields (https://openrouter.ai/docs/guides/routing/provider-selection) in the gateway's own terms. */
const readers: Readonly<Record<string, Reader>> = {
  order: (value, field) => list('order', names(value, field)),
  only: (value, field) => list('only', names(value, field)),
  ignore: (value, field) => list('ignore', names(value, field)),
  sort: (value) => sorting(value),
  allow_fallbacks: (value, field) => ({ allowFallbacks: flag(value, field) }),
  require_parameters: (value, field) => ({ requireParameters: flag(value, field) }),
  max_price: (value) => maxPrice(value),
  preferred_max_latency: (value, field) => {
    const limits = percentileLimits(value, field, 'of seconds');
    return limits && { preferredMaxLatencyMs: inMs(limits) };
  },
  preferred_min_throughput: (value, field) => {
    const limits = percentileLimits(value, field, 'of tokens per second');
    return limits && { preferredMinThroughput: limits };
  },
};

/** Reads the `provider` object of a body; throws `invalid_request` for what cannot be meant. */
export function readPreferences(provider: unknown): Preferences | undefined {
  if (provider === undefined || provider === null) return undefined;
  if (!isObject(provider)) throw mistake('provider', 'must be an object');
  const preferences: Preferences = {};
  const unknown: string[] = [];
  for (const [field, value] of Object.entries(provider)) {
    if (value === null) continue;
    const read = Object.hasOwn(readers, field) ? readers[field] : foreignWish;
    const { foreign = [], ...said } = read?.(value, `provider.${field}`) ?? {};
    Object.assign(preferences, said);
    unknown.push(...foreign);
  }
  return unknown.length > 0 ? { ...preferences, foreign: unknown } : preferences;
}

/** What is not switched on is kept by everybody. */
function foreignWish(value: unknown, field: string): Partial<Preferences> | undefined {
  const isKeptByAll = value === false || (field === 'provider.data_collection' && value === 'allow');
  return isKeptByAll ? undefined : { foreign: [field.replace('provider.', '')] };
}

/** Reads the `models` of a body: names to try one after the other. */
export function readModels(models: unknown): readonly string[] {
  if (models === undefined || models === null) return [];
  return [...new Set(names(models, 'models', 20))];
}

function names(value: unknown, field: string, most = mostNames): string[] {
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '');
  if (!isList || value.length > most) throw mistake(field, `must be a list of names, ${most} at most`);
  return value as string[];
}

function flag(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw mistake(field, 'must be true or false');
  return value;
}

/** Here targets are sorted within each model, which is the partition that is meant when none is named. */
function sorting(value: unknown): Partial<Preferences> {
  const { by, partition = 'model' } = isObject(value) ? value : { by: value };
  const known = sorts.find((sort) => sort === by);
  const isUsual = partition === null || partition === 'model';
  if (!known) throw mistake('provider.sort', `must be ${sorts.join(', ')}, or an object with one of them as "by"`);
  return { sort: known, ...(!isUsual && { foreign: ['sort.partition'] }) };
}

/** Prices of requests, pictures and the like are not known here. */
function maxPrice(value: unknown): Partial<Preferences> | undefined {
  if (!isObject(value)) throw mistake('provider.max_price', 'must be an object with prompt or completion');
  const others = Object.keys(value).filter((name) => !pricedHere.includes(name) && value[name] !== null);
  const input = price(value, 'prompt');
  const output = price(value, 'completion');
  const limits = { ...(input !== undefined && { input }), ...(output !== undefined && { output }) };
  return {
    ...(Object.keys(limits).length > 0 && { maxPrice: limits }),
    ...(others.length > 0 && { foreign: others.map((name) => `max_price.${name}`) }),
  };
}

function price(prices: JsonObject, name: string): number | undefined {
  const value = prices[name];
  if (value === undefined || value === null) return undefined;
  const isWritten = typeof value === 'string' && value.trim() !== '';
  return positive(isWritten ? Number(value) : value, `provider.max_price.${name}`);
}

/** A number is meant for the median; an object without any limit says nothing. */
function percentileLimits(value: unknown, field: string, unit: string): PercentileLimits | undefined {
  if (isLimit(value)) return { p50: value };
  const entries = isObject(value) ? Object.entries(value).filter(([, limit]) => limit !== null) : undefined;
  const isKnown = ([name, limit]: [string, unknown]) => percentiles.some((one) => one === name) && isLimit(limit);
  if (!entries?.every(isKnown)) throw mistake(field, `must be a number ${unit}, or an object of p50, p75, p90 and p99`);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
}

function inMs(seconds: PercentileLimits): PercentileLimits {
  return Object.fromEntries(Object.entries(seconds).map(([percentile, limit]) => [percentile, limit * 1000]));
}

function isLimit(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** An empty list says nothing: nobody means that no one shall be asked. */
function list(name: 'order' | 'only' | 'ignore', values: readonly string[]): Partial<Preferences> | undefined {
  return values.length > 0 ? { [name]: values } : undefined;
}

function positive(value: unknown, field: string): number {
  if (isLimit(value)) return value;
  throw mistake(field, 'must be a number that is not negative');
}

function mistake(field: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `"${field}" ${what}.`, { param: field });
}
