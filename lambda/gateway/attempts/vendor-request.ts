import type { IncomingMessage } from 'node:http';
import { callIdsFit } from '../../dialects/call-ids.ts';
import type { AnswerContext, EncodedRequest, VendorDialect } from '../../dialects/dialect.ts';
import { replaceMembers } from '../../dialects/json-members.ts';
import type { JsonObject } from '../../dialects/json-value.ts';
import { forwardChatCall } from '../../dialects/openai-chat/request.ts';
import { mayHoldMarks, ownSecrets } from '../../dialects/signed-by.ts';
import { signingVendor } from '../../dialects/signing-vendor.ts';
import { vendorDialects } from '../../dialects/vendor-dialects.ts';
import type { BodyMembers } from '../../providers/catalogue-entry.ts';
import { endpointPath, type Provider, type SpokenModel, spokenModel } from '../../providers/provider.ts';
import type { Failure } from '../../routing/failure.ts';
import { readVendorAnswer } from '../answers/vendor-answer.ts';
import type { ClientCall } from '../caller/client-call.ts';
import type { Operation, OperationTarget, Reading, VendorRequest } from '../operation.ts';

/** A conversation: to vendors of the caller's dialect in its own bytes, to all others through the vocabulary. */
export function chatOperation(call: ClientCall): Operation {
  return {
    model: call.model,
    stream: call.stream,
    conversation: call,
    requestTo: (provider, target) => chatRequest(call, provider, target),
  };
}

/** A failure when the provider cannot have this model, or speaks nothing that is known here. */
async function chatRequest(
  call: ClientCall,
  provider: Provider,
  target: OperationTarget,
): Promise<VendorRequest | { failure: Failure }> {
  const spoken = spokenModel(provider, target.model, call.client.name);
  const path =
    spoken && endpointPath(provider, spoken, { stream: call.stream, project: provider.project ?? target.project });
  const vendor = spoken && (await vendorDialects[spoken.dialect]?.());
  if (!path || !vendor) return { failure: { kind: 'not_found', detail: 'The provider cannot be called' } };
  const { nextFetch } = vendor;
  const readAs = (speaker: VendorDialect) => (response: IncomingMessage, reading: Reading) => {
    // Made only where the answer is translated.
    const answer = () => answerContext(call, target.model, reading);
    const { timings } = reading;
    const { errors } = provider;
    return readVendorAnswer(response, { call, vendor: speaker, errors, answer, timings, nowMs: reading.now() });
  };
  const isOwn = vendor.name === call.client.name;
  if (isOwn && mayPass(call, provider)) {
    const body = forwardUnchanged(call, provider, spoken);
    return { path, body, headers: {}, unsupported: [], nextFetch, read: readAs(vendor) };
  }
  const maker = vendor.makerOf?.(spoken.model) ?? provider.name;
  const request = ownSecrets(call.request(), maker);
  const encoded: EncodedRequest = vendor.encodeRequest(request, { ...provider, model: spoken.model });
  const body = withMembers(encoded.body, { ...bodyMembers(provider, spoken), ...withoutRoutingFields(call, provider) });
  const { headers = {}, unsupported } = encoded;
  const read = readAs(isOwn ? vendor : signingVendor(vendor, maker));
  return { path, body: JSON.stringify(body), headers, unsupported, nextFetch, read };
}

/** Whether the caller's own text can be sent: nothing in it is what this vendor would refuse for another's work. */
function mayPass(call: ClientCall, { callIds }: Provider): boolean {
  if (call.rewritten || mayHoldMarks(call.text)) return false;
  return callIds === 'openai' || !call.text.includes('"tool_call_id"') || callIdsFit(call.request(), callIds);
}

/** What an encoder of answers must know of this request. */
export function answerContext(
  call: ClientCall,
  model: string,
  { now, newId }: Pick<Reading, 'now' | 'newId'>,
): AnswerContext {
  return {
    request: call.request(),
    model,
    nowSeconds: Math.floor(now() / 1000),
    newId: (prefix) => prefix + newId(),
  };
}

/** The caller's own text, but for what names the model, and what OpenAI's streams need to report usage. */
function forwardUnchanged(call: ClientCall, provider: Provider, spoken: SpokenModel): string {
  if (call.client.name === 'openai-chat') {
    const { refusesStreamOptions } = provider;
    return forwardChatCall(call, spoken.name, {
      refusesStreamOptions,
      readsRoutingFields: passesRouting(call, provider),
    });
  }
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

function withoutRoutingFields(call: ClientCall, provider: Provider): BodyMembers {
  return call.client.name !== 'openai-chat' || passesRouting(call, provider) ? {} : { provider: null, models: null };
}

/** Which vendors to ask is said to the gateway, or, where that leaves it to it, to a vendor that chooses among others. */
function passesRouting(call: ClientCall, { readsRoutingFields }: Provider): boolean {
  return call.passesRouting === true && readsRoutingFields;
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
