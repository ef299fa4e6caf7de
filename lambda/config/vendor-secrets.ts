import { catalogueEntry } from '../providers/catalogue.ts';
import { recordByName } from './snapshot.ts';

/** Provider name → its keys, at least one each. Providers without a key are absent. */
export type VendorSecrets = Readonly<Record<string, readonly string[]>>;

/**
 * Reads the vendor secret: a JSON object, provider → key, comma list of keys, or array of keys; a key may be the JSON of a
 * service account. Aliases are resolved (`grok` → `xai`). No message quotes the text: it is made of keys.
 */
export function parseVendorSecrets(text: string): VendorSecrets {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('The vendor secret must be a JSON object that maps providers to keys, such as {"openai":"sk-…"}');
  }
  return vendorSecrets(Object.entries(value));
}

/** Collects keys by provider; the same provider under two names gets the keys of both. */
export function vendorSecrets(entries: Iterable<readonly [string, unknown]>): VendorSecrets {
  const keysByProvider = new Map<string, string[]>();
  for (const [provider, value] of entries) {
    const name = catalogueEntry(provider)?.name ?? provider;
    const keys = [...(keysByProvider.get(name) ?? []), ...keysOf(provider, value)];
    if (keys.length > 0) keysByProvider.set(name, [...new Set(keys)]);
  }
  return recordByName(keysByProvider);
}

function keysOf(provider: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap((key) => keysOf(provider, key));
  const account = serviceAccountText(value);
  if (account !== undefined) return [account];
  if (typeof value !== 'string') {
    throw new Error(`The keys of "${provider}" must be a string, a comma list or an array of strings`);
  }
  const list = value.trim().startsWith('[') ? stringArray(value) : undefined;
  return (list ?? value.split(',')).map((key) => key.trim()).filter((key) => key !== '');
}

/** The JSON of a service account of Google's, as an object or as the text of its file, is one key with its commas. */
function serviceAccountText(value: unknown): string | undefined {
  const isText = typeof value === 'string';
  if (isText && !value.trimStart().startsWith('{')) return undefined;
  const account = isText ? objectIn(value) : value;
  const isAccount = typeof account === 'object' && account !== null && 'private_key' in account;
  return isAccount ? JSON.stringify(account) : undefined;
}

function objectIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Only strings stay as they were typed: JSON would round a long number. */
function stringArray(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((key) => typeof key === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text.
    throw new Error('The vendor secret is not valid JSON');
  }
}
