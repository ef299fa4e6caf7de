import type { RawItem } from './raw-item.ts';
import type { KeyItem } from './schema.ts';
import { validateItem } from './validate-item.ts';

/**
 * Reads one `kind=key` item. An item with an error lets nobody in: a field that nothing enforces must not look as if it
 * limited anything.
 */
export function parseKeyItem(item: RawItem): { key: KeyItem } | { errors: string[] } {
  const result = validateItem('key', item);
  return 'errors' in result ? result : { key: result.value };
}
