import { catalogue, catalogueEntry } from '../providers/catalogue.ts';
import type { CatalogueEntry } from '../providers/catalogue-entry.ts';
import { azureResource } from '../providers/cloudflare-gateway.ts';
import { suggestion } from './closest-name.ts';
import type { RawItem } from './raw-item.ts';
import type { ProviderItem } from './schema.ts';
import { type ProviderConfig, recordByName } from './snapshot.ts';
import { type Validated, validateItem } from './validate-item.ts';

/** Type of a provider that the catalogue does not know by name. */
const defaultType = 'openai-compatible';

/** Validates a provider item against the catalogue and fills in its `type`. */
export function compileProvider(item: RawItem): Validated<[string, ProviderConfig]> {
  const result = validateItem('provider', item);
  if ('errors' in result) return result;
  const { name, ...provider } = result.value;
  const type = provider.type ?? (catalogueEntry(name) ? name : defaultType);
  const entry = catalogueEntry(type);
  if (!entry) {
    const types = catalogue.map((known) => known.name);
    return { errors: [`provider/${name} type: "${type}" is unknown${suggestion(type, types)}`] };
  }
  const errors = unfitFields(provider, entry).map((problem) => `provider/${name} ${problem}`);
  if (errors.length > 0) return { errors };
  return { value: [name, canonical(provider, entry.name)] };
}

function unfitFields(provider: Omit<ProviderItem, 'name'>, entry: CatalogueEntry): string[] {
  const problems: string[] = [];
  const paths = JSON.stringify(entry.paths);
  problems.push(...unfitRegion(provider.region, entry));
  problems.push(...unfitGateway(provider, entry));
  if (provider.baseUrl === undefined && entry.baseUrl === undefined && !entry.regions && !provider.cloudflareGateway) {
    const example = entry.accountUrl ? `, as in ${entry.accountUrl.url.replace('{}', '<account>')}` : '';
    problems.push(`baseUrl: is missing; the type ${entry.name} has no address of its own${example}`);
  }
  if (provider.deployments !== undefined && !paths.includes('{deployment}')) {
    problems.push(`deployments: the type ${entry.name} has none`);
  }
  if (provider.project !== undefined && !paths.includes('{location}')) {
    problems.push(`project: the type ${entry.name} has none`);
  }
  if (provider.apiVersion !== undefined && !paths.includes('{apiVersion}')) {
    problems.push(`apiVersion: the type ${entry.name} has none`);
  }
  return problems;
}

/** Whether Cloudflare's gateway has an address, and knows the vendor. */
function unfitGateway(
  { cloudflareGateway: gateway, baseUrl, type }: Omit<ProviderItem, 'name'>,
  entry: CatalogueEntry,
): string[] {
  if (!gateway) return [];
  const at = 'cloudflareGateway';
  if (gateway.url === undefined && (gateway.account === undefined || gateway.gateway === undefined)) {
    return [`${at}: needs account and gateway, or the url of a domain of its own`];
  }
  if (gateway.provider !== undefined) return [];
  if (!entry.cloudflare) {
    return [
      `${at}.provider: is missing; ${type ?? entry.name} is no provider of Cloudflare's, so name a custom one, as in custom-mine`,
    ];
  }
  if (entry.cloudflare.path.includes('{resource}') && azureResource(baseUrl) === undefined) {
    return [`${at}: needs the baseUrl of the resource at Azure, as in https://acme.openai.azure.com`];
  }
  return [];
}

function unfitRegion(region: string | undefined, { name, regions }: CatalogueEntry): string[] {
  if (!regions) return region === undefined ? [] : [`region: the type ${name} has none`];
  if (region === undefined) return regions.default ? [] : [`region: is missing; name ${regions.called}`];
  return regions.pattern.test(region) ? [] : [`region: must be ${regions.called}`];
}

/** Equal providers must give equal text, whatever the order of their fields was. */
function canonical({ type: _, ...provider }: Omit<ProviderItem, 'name'>, type: string): ProviderConfig {
  return {
    type,
    ...provider,
    // Entries of the vendor secret go by the catalogue's own names.
    ...(provider.secret && { secret: catalogueEntry(provider.secret)?.name ?? provider.secret }),
    ...(provider.deployments && { deployments: recordByName(Object.entries(provider.deployments)) }),
    ...(provider.headers && { headers: recordByName(Object.entries(provider.headers)) }),
  };
}
