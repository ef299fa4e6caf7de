import { isObject } from '../json-value.ts';

/** Fields whose content has keys of the caller's own. */
const opaque = new Set([
  'args',
  'response',
  'parameters',
  'parametersJsonSchema',
  'responseSchema',
  'responseJsonSchema',
  'labels',
]);

/** Deeper than any field of the API; what lies below is left as it is. */
const deepest = 24;

/**
 * The same value with all field names in camelCase, and without null fields: Google's servers take `snake_case` as well
 * (https://protobuf.dev/programming-guides/json/), and several SDKs send it.
 */
export function camelFields(value: unknown, depth = 0): unknown {
  if (depth > deepest) return value;
  if (Array.isArray(value)) return value.map((item) => camelFields(item, depth + 1));
  if (!isObject(value)) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(
    fields.map(([key, field]) => {
      const name = camelCase(key);
      return [name, opaque.has(name) ? field : camelFields(field, depth + 1)];
    }),
  );
}

/** `thinking_config` as `thinkingConfig`. */
export function camelCase(key: string): string {
  return key.includes('_') ? key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()) : key;
}
