import { endpointForms } from '../../dialects/endpoint-forms.ts';
import { RequestProblem } from '../../dialects/request-problem.ts';
import { vendorDialects } from '../../dialects/vendor-dialects.ts';
import type { EndpointForm } from '../../dialects/vendor-endpoint.ts';
import { offeredEndpoint } from '../../providers/offered-endpoint.ts';
import { type Provider, spokenModel } from '../../providers/provider.ts';
import type { Failure } from '../../routing/failure.ts';
import type { Operation, OperationTarget, VendorRequest } from '../operation.ts';
import type { ForwardCall } from './forward-call.ts';
import { readForwarded } from './forwarded-answer.ts';

/** Something besides a conversation: the caller's own bytes, or another form where the vendor has one of its own. */
export function forwardOperation(call: ForwardCall): Operation {
  return {
    model: call.model,
    stream: call.stream,
    requestTo: (provider, target) => forwardRequest(call, provider, target),
  };
}

async function forwardRequest(
  call: ForwardCall,
  provider: Provider,
  { model, project }: OperationTarget,
): Promise<VendorRequest | { failure: Failure }> {
  const spoken = spokenModel(provider, model, 'openai-chat');
  const name = spoken?.name ?? model;
  const offer = offeredEndpoint(provider, call.endpoint, { name, project: provider.project ?? project });
  if (!offer) return { failure: { kind: 'not_offered', detail: call.endpoint } };
  const { path } = offer;
  const vendor = await vendorDialects[spoken?.dialect ?? 'openai-chat']?.();
  if (path === undefined || !vendor) return { failure: { kind: 'not_found', detail: 'The provider cannot be called' } };
  const form = offer.form && (await endpointForms[offer.form]());
  const written = writeBody(call, form, name);
  if ('failure' in written) return written;
  const { body, unsupported, contentType } = written;
  return {
    path,
    body,
    headers: { 'content-type': contentType },
    unsupported,
    read: (response, { now, hidden }) =>
      readForwarded(response, {
        hidden,
        errors: { vendor, errors: provider.errors, nowMs: now() },
        translate: form && call.json && ((answer) => form.decodeAnswer(answer, { request: call.json ?? {}, model })),
      }),
  };
}

type WrittenBody = { body: Buffer | string; unsupported: readonly string[]; contentType: string };

function writeBody(
  call: ForwardCall,
  form: EndpointForm | undefined,
  name: string,
): WrittenBody | { failure: Failure } {
  if (!form) return { body: call.bodyFor(name), unsupported: [], contentType: call.contentType };
  if (!call.json) throw new RequestProblem('The body is not a JSON object.');
  try {
    const { body, unsupported } = form.encodeRequest(call.json, { model: name });
    return { body: JSON.stringify(body), unsupported, contentType: 'application/json' };
  } catch (error) {
    // What this form cannot say, another target's may.
    if (!(error instanceof RequestProblem)) throw error;
    return { failure: { kind: 'unsupported', unsupported: [error.param ?? 'body'], detail: error.message } };
  }
}
