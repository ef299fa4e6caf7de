import type { Writable } from 'node:stream';
import middy, { type PluginExecutionMode } from '@middy/core';
import type { Context, LambdaFunctionURLEvent } from 'aws-lambda';
import type { GatewayRequest, Sink } from '../gateway/exchange.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { drained } from './drained.ts';

/** Time kept back from the function's own limit, for an error event and the log line after the deadline. */
const marginMs = 2_000;

type ResponseMetadata = { statusCode: number; headers: Record<string, string> };
type StreamingHandler = (event: LambdaFunctionURLEvent, stream: Writable, context: Context) => Promise<void>;

/** What Lambda's Node runtime puts into the global scope. */
type LambdaGlobal = {
  streamifyResponse(handler: StreamingHandler): unknown;
  HttpResponseStream: { from(stream: Writable, metadata: ResponseMetadata): Writable };
};
declare const awslambda: LambdaGlobal;

/**
 * The handler of a function URL in RESPONSE_STREAM mode. `settled` is awaited after the caller has its last byte, for
 * Lambda freezes the process when the invocation ends.
 */
export function functionUrlHandler(gateway: Gateway, settled: () => Promise<void>): unknown {
  return middy<LambdaFunctionURLEvent, Serve>({
    executionMode: streamingMode as unknown as PluginExecutionMode,
    timeoutEarlyInMillis: 0,
    requestEnd: settled,
  }).handler((event: LambdaFunctionURLEvent, context: Context) =>
    Promise.resolve((sink: Sink) => gateway.handle(gatewayRequest(event, context, Date.now()), sink)),
  );
}

type Serve = (sink: Sink) => Promise<void>;
type MiddyCore = {
  middyRequest(event: unknown, context: Context): object;
  runRequest(...parts: unknown[]): Promise<Serve>;
};
type MiddyPlugin = { requestStart(request: object): void; requestEnd(request: object): Promise<void> };

/**
 * An execution mode for middy whose handlers return a function that writes to a `Sink`: straight to Lambda's stream,
 * since a failing `pipeline` into it would end the whole process.
 */
function streamingMode(
  core: MiddyCore,
  before: unknown,
  initial: unknown,
  ...rest: [unknown, unknown, MiddyPlugin]
): object {
  const [after, onError, plugin] = rest;
  let handler = initial;
  const streaming = awslambda.streamifyResponse(async (event, stream, context) => {
    const request = core.middyRequest(event, context);
    plugin.requestStart(request);
    const serve = await core.runRequest(request, before, handler, after, onError, plugin);
    try {
      // A failure after the first byte makes the runtime cut the answer, which is what a broken one needs.
      await serve(lambdaSink(stream));
    } finally {
      await plugin.requestEnd(request);
    }
  }) as { handler(next: unknown): object };
  streaming.handler = (next) => {
    handler = next;
    return streaming;
  };
  return streaming;
}

/** Reads an event of format 2.0; header names come in lower case. */
export function gatewayRequest(event: LambdaFunctionURLEvent, context: Context, nowMs: number): GatewayRequest {
  return {
    id: context.awsRequestId,
    method: event.requestContext.http.method,
    path: event.rawPath,
    query: event.rawQueryString,
    headers: event.headers,
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    receivedAtMs: nowMs,
    deadlineMs: nowMs + context.getRemainingTimeInMillis() - marginMs,
    // Lambda never says that the caller has left.
    signal: new AbortController().signal,
  };
}

function lambdaSink(raw: Writable): Sink {
  let stream = raw;
  return {
    head(statusCode, headers) {
      stream = awslambda.HttpResponseStream.from(raw, { statusCode, headers });
      // The runtime sends the head with the first write; without any, Lambda answers 502.
      stream.write('');
    },
    write: (bytes) => (stream.write(bytes) ? undefined : drained(stream)),
    end: (bytes = '') =>
      new Promise((resolve) => {
        stream.once('close', resolve);
        stream.end(bytes, resolve);
      }),
  };
}
