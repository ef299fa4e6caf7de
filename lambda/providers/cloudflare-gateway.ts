import type { ProviderConfig } from '../config/snapshot.ts';
import type { CatalogueEntry } from './catalogue-entry.ts';

/** The AI Gateway of Cloudflare's through which a provider is called. */
export type CloudflareGateway = NonNullable<ProviderConfig['cloudflareGateway']>;

/** Entry of the vendor secret that holds the token of gateways, when configuration names no other. */
export const cloudflareTokenName = 'cloudflare-ai-gateway';

/** Callers' headers that a gateway of Cloudflare's understands: those that change neither its log nor anyone else's cache. */
export const cloudflareHeaders: readonly string[] = [
  'cf-aig-cache-ttl',
  'cf-aig-skip-cache',
  'cf-aig-metadata',
  'cf-aig-request-timeout',
  'cf-aig-max-attempts',
  'cf-aig-retry-delay',
  'cf-aig-backoff',
];

/** What is filled into a vendor's path at the gateway. */
type Own = { entry: CatalogueEntry; baseUrl: string | undefined; region: string | undefined };

/** Where the gateway itself listens, which is its universal endpoint. */
export function gatewayUrl({ account = '', gateway = '', url }: CloudflareGateway): string {
  return (url ?? `https://gateway.ai.cloudflare.com/v1/${account}/${gateway}`).replace(/\/+$/, '');
}

/**
 * The base URL of a vendor at the gateway, which takes the place of its own; undefined when it has none there. A custom
 * provider of Cloudflare's keeps the path of the vendor's own base URL.
 * https://developers.cloudflare.com/ai-gateway/usage/providers/
 */
export function cloudflareUrl(gateway: CloudflareGateway, { entry, baseUrl, region }: Own): string | undefined {
  const { provider } = gateway;
  const base = gatewayUrl(gateway);
  if (provider !== undefined) return `${base}/${provider}${baseUrl ? new URL(baseUrl).pathname : ''}`;
  const path = entry.cloudflare?.path;
  const resource = path?.includes('{resource}') ? azureResource(baseUrl) : '';
  if (path === undefined || resource === undefined) return undefined;
  return `${base}/${path.replace('{region}', () => region ?? '').replace('{resource}', () => resource)}`;
}

/** The name of a resource of Azure's, which begins all of its hosts. */
export function azureResource(baseUrl: string | undefined): string | undefined {
  const host = baseUrl === undefined ? undefined : URL.parse(baseUrl)?.hostname;
  return /^([a-z0-9-]+)\.(?:openai\.azure|cognitiveservices\.azure|services\.ai\.azure)\.com$/.exec(host ?? '')?.[1];
}
