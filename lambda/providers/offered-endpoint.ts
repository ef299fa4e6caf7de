import type { EndpointFormName, EndpointName } from '../dialects/vendor-endpoint.ts';
import { vendorEndpoints } from './catalogue-endpoints.ts';
import { filledPath, type Provider } from './provider.ts';

/** Where something is offered, and in which form if not OpenAI's; no path where the provider cannot have that model. */
export type OfferedEndpoint = { path: string | undefined; form: EndpointFormName | undefined };

/** Where a provider offers something besides conversations about a model; undefined when it does not. */
export function offeredEndpoint(
  provider: Provider,
  endpoint: EndpointName,
  { name, project = provider.project }: { name: string; project?: string | undefined },
): OfferedEndpoint | undefined {
  const offers = [vendorEndpoints(provider.type, provider.apiVersion)[endpoint] ?? []].flat();
  const offer = offers.find((one) => typeof one === 'string' || (one.models?.test(name) ?? true));
  if (offer === undefined) return undefined;
  const { path, form } = typeof offer === 'string' ? { path: offer, form: undefined } : offer;
  return { path: filledPath(provider, path, name, project), form };
}
