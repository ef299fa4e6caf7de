import type { RawItem } from './raw-item.ts';
import type { KeyItem } from './schema.ts';

/** What a key item says, or every reason why it lets nobody in. */
export type KeyReading = { key: KeyItem } | { errors: string[] };

/**
 * Reads one `kind=key` item as `parseKeyItem` does, whose schemas are loaded only for an item that is not plainly right:
 * every start of a gateway would pay for them.
 */
export async function readKeyItem(item: RawItem): Promise<KeyReading> {
  if (isPlainKey(item)) {
    const { kind: _, ...key } = item;
    return { key };
  }
  const { parseKeyItem } = await import('./parse-key-item.ts');
  return parseKeyItem(item);
}

const plainFields: Readonly<Record<string, (value: unknown) => boolean>> = {
  kind: (kind) => kind === 'key',
  name: (name) => typeof name === 'string' && /^[0-9a-f]{64}$/.test(name),
  label: (label) => typeof label === 'string' && label !== '' && label.length <= 100,
  models: (models) =>
    Array.isArray(models) && models.length > 0 && models.every((name) => typeof name === 'string' && name !== ''),
  disabled: (disabled) => typeof disabled === 'boolean',
};

/** Stricter than the schema: what is right in another way, as with an end or with models in a set, is left to it. */
function isPlainKey(item: RawItem): item is RawItem & KeyItem {
  return Object.entries(item).every(
    ([field, value]) => Object.hasOwn(plainFields, field) && plainFields[field]?.(value),
  );
}
