import type { EncodedRequest, VendorDialect } from '../dialects/dialect.ts';
import { replaceMembers } from '../dialects/json-members.ts';
import { forwardChatCall } from '../dialects/openai-chat/request.ts';
import { vendorDialects } from '../dialects/vendor-dialects.ts';
import { authHeaders, endpointPath, type Provider, spokenDialect } from '../providers/provider.ts';
import { signRequest } from '../providers/sigv4.ts';
import type { ClientCall } from './client-call.ts';
import type { GatewayDeps } from './gateway-deps.ts';

/** What goes to a vendor, and how its answer comes back: as the caller's own bytes, or through the vocabulary. */
export type VendorRequest = {
  path: string;
  body: string;
  headers: Record<string, string>;
  /** The dialect of its answer. */
  vendor: VendorDialect;
  /** What of the request this vendor cannot honour. */
  unsupported: readonly string[];
};

/** Undefined when the provider cannot have this model, or speaks nothing that is known here. */
export async function vendorRequest(
  call: ClientCall,
  provider: Provider,
  model: string,
): Promise<VendorRequest | undefined> {
  const dialect = spokenDialect(provider, call.client.name);
  const path = dialect && endpointPath(provider, dialect, { model, stream: call.stream });
  const vendor = dialect && (await vendorDialects[dialect]?.());
  if (!path || !vendor) return undefined;
  if (dialect === call.client.name) {
    return { path, body: forwardUnchanged(call, provider, model), headers: {}, vendor, unsupported: [] };
  }
  const {
    body,
    headers = {},
    unsupported,
  }: EncodedRequest = vendor.encodeRequest(call.request(), { ...provider, model });
  return { path, body: JSON.stringify(body), headers, vendor, unsupported };
}

/** The caller's own text, but for what names the model, and what OpenAI's streams need to report usage. */
function forwardUnchanged(call: ClientCall, provider: Provider, model: string): string {
  if (call.client.name === 'openai-chat') return forwardChatCall(call, model, provider);
  return call.client.modelInPath ? call.text : replaceMembers(call.text, { model: JSON.stringify(model) });
}

/** The headers that sign a call with the function's role; undefined where the provider takes no signature or there is no role. */
export function signatureFor(
  { path, body }: VendorRequest,
  { auth, region, origin }: Provider,
  deps: Pick<GatewayDeps, 'awsCredentials' | 'now'>,
): Record<string, string> | undefined {
  if (auth.kind !== 'sigv4' || !region) return undefined;
  const credentials = deps.awsCredentials();
  if (!credentials) return undefined;
  const headers = { host: origin.host, 'content-type': 'application/json' };
  const scope = { credentials, region, service: auth.service, nowMs: deps.now() };
  return signRequest({ method: 'POST', path, headers, body }, scope);
}

/** The headers of a call to a vendor; those that the operator configured come last. */
export function outgoingHeaders(
  { body, headers }: VendorRequest,
  provider: Provider,
  secret: string | undefined,
  forwarded: Record<string, string>,
): Record<string, string> {
  return {
    ...provider.apiHeaders,
    ...forwarded,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    // Without it any coding would be welcome: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
    'accept-encoding': 'identity',
    'user-agent': 'sluice',
    ...headers,
    ...authHeaders(provider.auth, secret),
    ...provider.headers,
  };
}
