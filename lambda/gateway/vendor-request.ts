import type { EncodedRequest, VendorDialect } from '../dialects/dialect.ts';
import { replaceMembers } from '../dialects/json-members.ts';
import type { JsonObject } from '../dialects/json-value.ts';
import { forwardChatCall } from '../dialects/openai-chat/request.ts';
import { vendorDialects } from '../dialects/vendor-dialects.ts';
import type { BodyMembers } from '../providers/catalogue.ts';
import { endpointPath, type Provider, type SpokenModel, spokenModel } from '../providers/provider.ts';
import type { ClientCall } from './client-call.ts';

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
  target: { model: string; project?: string | undefined },
): Promise<VendorRequest | undefined> {
  const spoken = spokenModel(provider, target.model, call.client.name);
  const path =
    spoken && endpointPath(provider, spoken, { stream: call.stream, project: provider.project ?? target.project });
  const vendor = spoken && (await vendorDialects[spoken.dialect]?.());
  if (!path || !vendor) return undefined;
  if (vendor.name === call.client.name && !call.rewritten) {
    return { path, body: forwardUnchanged(call, provider, spoken), headers: {}, vendor, unsupported: [] };
  }
  const encoded: EncodedRequest = vendor.encodeRequest(call.request(), { ...provider, model: spoken.model });
  const body = withMembers(encoded.body, bodyMembers(provider, spoken));
  return { path, body: JSON.stringify(body), headers: encoded.headers ?? {}, vendor, unsupported: encoded.unsupported };
}

/** The caller's own text, but for what names the model, and what OpenAI's streams need to report usage. */
function forwardUnchanged(call: ClientCall, provider: Provider, spoken: SpokenModel): string {
  if (call.client.name === 'openai-chat') return forwardChatCall(call, spoken.name, provider);
  const { model, ...others } = bodyMembers(provider, spoken);
  const members = call.client.modelInPath ? others : { model, ...others };
  const texts = Object.entries(members).map(([name, value]) => [
    name,
    value === null ? undefined : JSON.stringify(value),
  ]);
  return texts.length === 0 ? call.text : replaceMembers(call.text, Object.fromEntries(texts));
}

/** What this provider wants in the body of the dialect: the model's name there, and what its catalogue entry says. */
function bodyMembers({ body }: Provider, { dialect, name }: SpokenModel): BodyMembers {
  return { model: name, ...body[dialect] };
}

function withMembers(body: JsonObject, { model, ...members }: BodyMembers): JsonObject {
  // Where the model stands in the path, the body has no place for it.
  const named = 'model' in body ? { model, ...members } : members;
  const entries = Object.entries({ ...body, ...named });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

/** The headers of a call to a vendor; those that the operator configured come last. */
export function outgoingHeaders(
  { body, headers }: VendorRequest,
  provider: Provider,
  forwarded: Record<string, string>,
  authorization: Record<string, string>,
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
    ...authorization,
    ...provider.headers,
  };
}
