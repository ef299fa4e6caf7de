import { catalogue } from '../providers/catalogue.ts';
import type { CatalogueEntry } from '../providers/catalogue-entry.ts';
import type { Environment } from './expand-variables.ts';
import type { RawItem } from './raw-item.ts';
import { type VendorSecrets, vendorSecrets } from './vendor-secrets.ts';

/**
 * The vendors whose keys stand in the environment. Most need no item, for `provider/model` works without one; a vendor
 * with an account in its address, or with a region, gets an item when its variable is set.
 */
export function configFromEnvironment(environment: Environment): { items: RawItem[]; secrets: VendorSecrets } {
  const secrets = vendorSecrets(
    catalogue.flatMap((entry) => {
      const value = firstSet(entry.environmentKeys, environment);
      return value === undefined ? [] : [[entry.name, value] as const];
    }),
  );
  const items = catalogue.flatMap((entry) => [...accountItem(entry, environment), ...fieldsItem(entry, environment)]);
  return { items, secrets };
}

function fieldsItem({ name, environmentFields = {} }: CatalogueEntry, environment: Environment): RawItem[] {
  const fields = Object.entries(environmentFields).flatMap(([field, variables]) => {
    const value = firstSet(variables, environment);
    return value === undefined ? [] : [[field, value] as const];
  });
  return fields.length === 0 ? [] : [{ kind: 'provider', name, ...Object.fromEntries(fields) }];
}

function accountItem(entry: CatalogueEntry, environment: Environment): RawItem[] {
  const account = entry.accountUrl && firstSet([entry.accountUrl.variable], environment);
  if (!entry.accountUrl || account === undefined) return [];
  const baseUrl = entry.accountUrl.url.replace('{}', () => encodeURIComponent(account));
  return [{ kind: 'provider', name: entry.name, baseUrl }];
}

function firstSet(names: readonly string[], environment: Environment): string | undefined {
  return names.map((name) => environment[name]?.trim()).find((value) => value);
}
