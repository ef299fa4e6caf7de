import type { IncomingMessage } from 'node:http';
import type { Snapshot } from '../config/snapshot.ts';
import { vendorRequestId } from '../providers/vendor-request-id.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { answerHeaders } from './answers/answer-headers.ts';
import { answerMetadata, metadataField, wantsMetadata } from './answers/answer-metadata.ts';
import { authenticate } from './caller/authenticate.ts';
import { openAiModels } from './caller/models.ts';
import { converse } from './endpoints/conversation.ts';
import { BrokenAnswerError, type Exchange, type GatewayRequest, type Sink, sendJson } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { asGatewayError, callerError, causeOf, GatewayError } from './gateway-error.ts';
import { errorDialect, findRoute } from './routes.ts';
import { newTimings } from './timings.ts';
import { waitClock, watchedSink, watchedUpstream } from './wait-clock.ts';

/**
 * The gateway, the same behind every host: answers one request completely, then writes its log line. Throws nothing but a
 * `BrokenAnswerError`, after that.
 */
export type Gateway = { handle(request: GatewayRequest, sink: Sink): Promise<void> };

/** A function URL takes 6 MB, and so does every other host. */
export const largestBodyBytes = 6 * 1024 * 1024;

export function createGateway(deps: GatewayDeps): Gateway {
  let { coldStart } = deps;
  return {
    async handle(request, sink) {
      const { id: requestId, method, receivedAtMs } = request;
      const record: RequestRecord = { requestId, method, path: request.path.slice(0, 200), receivedAtMs, attempts: [] };
      if (coldStart) record.coldStart = true;
      coldStart = false;
      const watch = watchRequest(record, method === 'HEAD' ? headOnly(sink) : sink, deps);
      const known = {
        request,
        sink: watch.sink,
        record,
        timings: newTimings(deps.monotonicMs),
        metadata: wantsMetadata(request),
      };
      try {
        await answer(known, watch.deps);
      } catch (thrown) {
        if (!(thrown instanceof BrokenAnswerError)) await answerError(thrown, known);
        else {
          deps.telemetry.answerCutOff(record);
          throw thrown;
        }
      } finally {
        watch.finish();
      }
    },
  };
}

/** The answer to HEAD is that to GET without its body, whatever the host makes of one. */
function headOnly(sink: Sink): Sink {
  return { head: sink.head, write: () => undefined, end: () => sink.end() };
}

/**
 * The world as one request sees it, so that its record shows what passes by: the status that the caller saw, which also
 * says whether an error can still be a JSON answer, the vendor's request id, and the time that was spent in waiting.
 */
function watchRequest(record: RequestRecord, sink: Sink, deps: GatewayDeps) {
  const startedMs = deps.monotonicMs();
  const clock = waitClock(deps.monotonicMs);
  let inForce: Snapshot | undefined;
  const noteStatus = (status: number) => {
    record.status = status;
  };
  const noteVendor = ({ headers }: IncomingMessage) => {
    record.vendorRequestId = vendorRequestId(headers) ?? record.vendorRequestId;
  };
  const watched: GatewayDeps = {
    ...deps,
    snapshot: async () => {
      inForce = await deps.snapshot();
      return inForce;
    },
    upstream: watchedUpstream(deps.upstream, clock, noteVendor),
    sleep: (ms) => clock.during(deps.sleep(ms)),
  };
  return {
    sink: watchedSink(sink, clock, noteStatus),
    deps: watched,
    finish() {
      record.overheadMs = Math.round((deps.monotonicMs() - startedMs - clock.waitedMs()) * 1000) / 1000;
      deps.telemetry.requestCompleted(record, inForce);
    },
  };
}

/** An exchange before it is known who calls, and with which configuration. */
type Arrival = Omit<Exchange, 'caller' | 'snapshot'>;

/** What is known of the targets decides about the answers of these routes. */
const knowsTargets: ReadonlySet<string> = new Set(['conversation', 'forward', 'count-tokens', 'route', 'stats']);

async function answer(arrival: Arrival, deps: GatewayDeps): Promise<void> {
  const { request, sink, record, timings } = arrival;
  const route = await findRoute(request);
  record.operation = route.name;
  if (route.name === 'health') return sendJson(sink, 200, { status: 'ok' }, { 'x-request-id': request.id });
  // What is known of the targets is read while it is found out who calls; the plan takes what has come by then.
  if (knowsTargets.has(route.name)) deps.live().catch(() => {});
  const [caller, snapshot] = await timings.during('auth', () =>
    Promise.all([authenticate(request, deps), deps.snapshot()]),
  );
  record.keyLabel = caller.label;
  record.configVersion = snapshot.version;
  const exchange: Exchange = { ...arrival, caller, snapshot };
  const headers = answerHeaders(record, timings);
  switch (route.name) {
    case 'models':
    case 'model': {
      const asked = { snapshot, caller, query: request.query };
      const { listing } = route;
      const manner =
        listing === 'openai' ? openAiModels : (await import('./endpoints/model-lists.ts')).modelLists[listing];
      const body = route.name === 'model' ? manner.describe(asked, route.id) : manner.list(asked);
      return sendJson(sink, 200, body, headers);
    }
    case 'count-tokens': {
      requireFit(request);
      const { countTokens } = await import('./endpoints/count-tokens.ts');
      return countTokens(exchange, deps);
    }
    case 'route': {
      requireFit(request);
      return (await import('./endpoints/explain-route.ts')).explainRoute(exchange, deps);
    }
    case 'stats':
      return (await import('./endpoints/stats.ts')).tellStats(exchange, deps);
    case 'conversation':
      requireFit(request);
      return oncePerKey(exchange, deps, (protectedExchange) => converse(protectedExchange, route, deps));
    case 'forward': {
      requireFit(request);
      record.operation = route.endpoint;
      const { forward } = await import('./forwarding/forward.ts');
      return oncePerKey(exchange, deps, (protectedExchange) => forward(protectedExchange, route.endpoint, deps));
    }
    case 'pass-through': {
      requireFit(request);
      const { passThrough } = await import('./forwarding/pass-through.ts');
      return oncePerKey(exchange, deps, (protectedExchange) => passThrough(protectedExchange, route, deps));
    }
  }
}

/** Answers at most once for each idempotency key; the code for that is loaded for those who send one. */
async function oncePerKey(
  exchange: Exchange,
  deps: GatewayDeps,
  answer: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const key = exchange.request.headers['idempotency-key'];
  if (key === undefined) return answer(exchange);
  const { idempotently } = await import('./idempotency.ts');
  return idempotently(key, exchange, deps, answer);
}

function requireFit({ body }: GatewayRequest): void {
  if (body.length <= largestBodyBytes) return;
  throw new GatewayError(
    'request_too_large',
    'The request is larger than 6 MB. Send less: shorter messages, or smaller or linked images.',
  );
}

async function answerError(thrown: unknown, { request, sink, record, timings, metadata }: Arrival): Promise<void> {
  const error = asGatewayError(thrown);
  const alreadyAnswering = record.status !== undefined;
  record.errorCode = error.code;
  record.faultDomain = error.faultDomain;
  record.cause = causeOf(error);
  if (alreadyAnswering) {
    await sink.end();
    return;
  }
  const dialect = error.details.client ?? (await errorDialect(request));
  const body = dialect.encodeError(callerError(error, request.id));
  const told = metadata ? { ...body, [metadataField]: answerMetadata(record) } : body;
  await sendJson(sink, error.status, told, { ...error.details.headers, ...answerHeaders(record, timings) });
}
