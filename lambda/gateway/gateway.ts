import { type RequestRecord, requestLogLine } from '../telemetry/request-record.ts';
import { answerHeaders } from './answer-headers.ts';
import { answerMetadata, metadataField, wantsMetadata } from './answer-metadata.ts';
import { authenticate } from './authenticate.ts';
import { converse } from './conversation.ts';
import { type Exchange, type GatewayRequest, type Sink, sendJson } from './exchange.ts';
import type { GatewayDeps } from './gateway-deps.ts';
import { asGatewayError, callerError, GatewayError } from './gateway-error.ts';
import { describeModel, listModels } from './models.ts';
import { errorDialect, findRoute } from './routes.ts';
import { newTimings } from './timings.ts';

/** The gateway, the same behind every host: answers one request completely, then writes its log line. Never throws. */
export type Gateway = { handle(request: GatewayRequest, sink: Sink): Promise<void> };

/** A function URL takes 6 MB, and so does every other host. */
export const largestBodyBytes = 6 * 1024 * 1024;

export function createGateway(deps: GatewayDeps): Gateway {
  return {
    async handle(request, sink) {
      const { id: requestId, method, receivedAtMs } = request;
      const record: RequestRecord = { requestId, method, path: request.path.slice(0, 200), receivedAtMs, attempts: [] };
      const known = {
        request,
        sink: watchHead(sink, record),
        record,
        timings: newTimings(deps.monotonicMs),
        metadata: wantsMetadata(request),
      };
      try {
        await answer(known, deps);
      } catch (thrown) {
        await answerError(thrown, known);
      } finally {
        deps.log(requestLogLine(record, deps.now()));
      }
    },
  };
}

/** The status that the caller saw belongs into the record, and says whether an error can still be a JSON answer. */
function watchHead(sink: Sink, record: RequestRecord): Sink {
  return {
    head(status, headers) {
      sink.head(status, headers);
      record.status = status;
    },
    write: sink.write,
    end: sink.end,
  };
}

/** An exchange before it is known who calls, and with which configuration. */
type Arrival = Omit<Exchange, 'caller' | 'snapshot'>;

async function answer(arrival: Arrival, deps: GatewayDeps): Promise<void> {
  const { request, sink, record, timings } = arrival;
  const route = await findRoute(request);
  if (route.name === 'health') return sendJson(sink, 200, { status: 'ok' }, { 'x-request-id': request.id });
  const [caller, snapshot] = await timings.during('auth', () =>
    Promise.all([authenticate(request, deps), deps.snapshot()]),
  );
  record.keyLabel = caller.label;
  record.configVersion = snapshot.version;
  const exchange: Exchange = { ...arrival, caller, snapshot };
  const headers = { 'x-request-id': request.id };
  switch (route.name) {
    case 'models':
      return sendJson(sink, 200, listModels(snapshot, caller), headers);
    case 'model':
      return sendJson(sink, 200, describeModel(snapshot, route.id, caller), headers);
    case 'conversation':
      if (request.body.length > largestBodyBytes) {
        throw new GatewayError(
          'request_too_large',
          'The request is larger than 6 MB. Send less: shorter messages, or smaller or linked images.',
        );
      }
      return converse(exchange, route, deps);
  }
}

async function answerError(thrown: unknown, { request, sink, record, timings, metadata }: Arrival): Promise<void> {
  const error = asGatewayError(thrown);
  const alreadyAnswering = record.status !== undefined;
  record.errorCode = error.code;
  record.faultDomain = error.faultDomain;
  if (error.code === 'internal_error') record.cause = placeOf(error.cause);
  if (alreadyAnswering) {
    await sink.end();
    return;
  }
  const dialect = await errorDialect(request.path);
  const body = dialect.encodeError(callerError(error, request.id));
  const told = metadata ? { ...body, [metadataField]: answerMetadata(record) } : body;
  await sendJson(sink, error.status, told, { ...error.details.headers, ...answerHeaders(record, timings) });
}

/** Type and place of an exception. Its message may quote what was being processed. */
function placeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  const frame = cause.stack?.split('\n').find((line) => line.startsWith('    at '));
  return `${cause.name}${frame ? ` ${frame.trim()}` : ''}`;
}
