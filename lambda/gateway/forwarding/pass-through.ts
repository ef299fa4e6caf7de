import { versionsWithin } from '../../providers/catalogue-endpoints.ts';
import { findProvider, type Provider } from '../../providers/provider.ts';
import { UpstreamError } from '../../providers/upstream.ts';
import { answerHeaders } from '../answers/answer-headers.ts';
import { answerWindow } from '../answers/answer-window.ts';
import { noteError } from '../answers/deliver-answer.ts';
import { piecesOf, relayBytes } from '../answers/relay-bytes.ts';
import { failureOfConnection } from '../attempts/attempt.ts';
import { failureError } from '../attempts/failure-error.ts';
import { mayUse } from '../caller/authenticate.ts';
import { BrokenAnswerError, type Exchange } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { asGatewayError, GatewayError } from '../gateway-error.ts';
import { providerErrorDialect } from '../routes.ts';
import { askVendor, failureKind, type OwnCall, type VendorResponse } from './pass-through-call.ts';
import { answeredHeaders } from './pass-through-headers.ts';
import { type NamedModels, namedModels } from './pass-through-models.ts';
import { passThroughPath, passThroughQuery } from './pass-through-path.ts';

/** A path of a vendor's own API: the name of the provider, and what follows it. */
export type PassThrough = { provider: string; rest: string };

/** Passes a request on to a vendor's own API and its answer back, each as it is but for keys. */
export async function passThrough(exchange: Exchange, wanted: PassThrough, deps: GatewayDeps): Promise<void> {
  const provider = findProvider(exchange.snapshot, wanted.provider);
  if (!provider) {
    throw new GatewayError(
      'unknown_url',
      `There is no provider "${wanted.provider.slice(0, 100)}" here. Paths of a vendor's own API begin with its provider's name.`,
    );
  }
  try {
    await passOn(ownCall(exchange, provider, wanted.rest), exchange, deps);
  } catch (thrown) {
    if (thrown instanceof BrokenAnswerError) throw thrown;
    const error = asGatewayError(thrown);
    error.details.client ??= await providerErrorDialect(provider);
    throw error;
  }
}

/** Judges path and permission. Throws `invalid_request` and `model_not_allowed`. */
function ownCall({ request, caller, snapshot }: Exchange, provider: Provider, rest: string): OwnCall {
  if (snapshot.settings.passThrough === false) {
    throw new GatewayError('unknown_url', "The operator of this gateway has closed the paths of vendors' own APIs.");
  }
  const path = passThroughPath(provider.basePath, rest, versionsWithin(provider.type));
  const query = passThroughQuery(request.query);
  if (path === undefined || query === undefined) {
    throw new GatewayError(
      'invalid_request',
      `This path cannot be passed on: it may lead outside of ${provider.name}.`,
    );
  }
  const named = namedModels(path, request);
  requirePermission(named, { provider, caller });
  return { provider, path: query === '' ? path : `${path}?${query}`, model: named.models[0] };
}

/** Who may use some models may use nothing whose model is not sure. */
function requirePermission(
  { models, isSure }: NamedModels,
  { provider, caller }: { provider: Provider; caller: Exchange['caller'] },
): void {
  if (caller.models === undefined) return;
  const refused = models.find((model) => !mayUse(caller, `${provider.name}/${configuredName(provider, model)}`));
  if (refused === undefined && isSure) return;
  const what =
    refused === undefined
      ? 'is limited to some models, and this path names none'
      : `may not use the model "${`${provider.name}/${refused}`.slice(0, 200)}"`;
  throw new GatewayError('model_not_allowed', `This API key ${what}.`, { param: 'model' });
}

/** A deployment goes by the name that configuration gives its model. */
function configuredName({ deployments }: Provider, model: string): string {
  return Object.entries(deployments).find(([, deployment]) => deployment === model)?.[0] ?? model;
}

async function passOn(call: OwnCall, exchange: Exchange, deps: GatewayDeps): Promise<void> {
  const { record, request, sink, timings } = exchange;
  const { provider, model } = call;
  record.provider = provider.name;
  if (model !== undefined) {
    record.targetModel = model.slice(0, 200);
    record.requestModel = `${provider.name}/${model}`.slice(0, 200);
  }
  const answered = await timings.during('upstream', () => askVendor(call, exchange, deps));
  const { response } = answered;
  const status = response.statusCode ?? 502;
  record.timeToFirstChunkMs = deps.now() - request.receivedAtMs;
  if (status >= 400) noteError(record, failureError({ kind: failureKind(status), status }, targetOf(call)));
  const own = answerHeaders(record, timings);
  sink.head(status, { ...own, ...answeredHeaders(response.headers), 'x-sluice-request-id': request.id });
  try {
    await relay(answered, exchange);
  } catch (thrown) {
    const failure = failureOfConnection(thrown, request.signal);
    noteError(record, failureError(failure, targetOf(call)));
    throw new BrokenAnswerError('The answer broke off', { cause: thrown });
  } finally {
    answered.guard.stop();
    answered.exchange.abort(new UpstreamError('connection', 'The answer is over'));
  }
  await sink.end();
}

function targetOf({ provider, model = 'this path' }: OwnCall): { provider: string; model: string } {
  return { provider: provider.name, model };
}

async function relay({ response, guard, hidden }: VendorResponse, { sink, record }: Exchange): Promise<void> {
  // Some vendors quote the key that they refuse.
  const open = { first: [], pieces: piecesOf(response, hidden), window: answerWindow() };
  const { usage, responseModel } = await relayBytes(open, sink, guard);
  if ((response.statusCode ?? 0) >= 400) return;
  record.usage = usage;
  record.responseModel = responseModel;
  record.stream = /event-?stream/i.test(response.headers['content-type'] ?? '');
}
