import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';

/** Why an invocation or an initialization failed, as the runtime or the platform reports it. */
export type FunctionError = { errorType: string; errorMessage: string };

/** What one invocation carries to the function. */
export type Invocation = { requestId: string; event: unknown; functionArn: string; deadlineMs: number };

/** What the function sends for one invocation, while it sends it. */
export type FunctionAnswer = {
  /** True when a streaming handler writes it, false when it is the JSON of a returned value. */
  streaming: boolean;
  contentType: string | undefined;
  /** Live bytes. Whoever takes an answer reads it to the end: the runtime waits for that. */
  body: Readable;
  /** After the end of the body: the error of a stream that failed midway. */
  trailingError(): FunctionError | undefined;
};

/** What a runtime tells the platform. */
export type RuntimeApiEvents = {
  /** Ready for an invocation; the one before, if any, is over. */
  next(): void;
  initError(error: FunctionError): void;
  answer(requestId: string, answer: FunctionAnswer): void;
  invocationError(requestId: string, error: FunctionError): void;
};

/** The Lambda Runtime API for one execution environment: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
export type RuntimeApi = {
  /** Resolves to the value of AWS_LAMBDA_RUNTIME_API. */
  listen(): Promise<string>;
  /** Answers the runtime's open request for the next invocation. */
  deliver(invocation: Invocation): void;
  close(): void;
};

const route = /^\/2018-06-01\/runtime\/(?:(invocation\/next|init\/error)|invocation\/([^/]+)\/(response|error))$/;

/** Creates the API of one environment; it listens on loopback, on a port of its own. */
export function createRuntimeApi(events: RuntimeApiEvents): RuntimeApi {
  let waiting: ServerResponse | undefined;
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, (request, response) => {
    const [, fixed, requestId, kind] = route.exec(request.url ?? '') ?? [];
    if (fixed === 'invocation/next') {
      waiting = response;
      events.next();
    } else if (fixed === 'init/error') {
      readError(request, response, events.initError);
    } else if (requestId && kind === 'error') {
      readError(request, response, (error) => events.invocationError(requestId, error));
    } else if (requestId) {
      request.on('end', () => response.writeHead(202).end());
      events.answer(requestId, toAnswer(request));
    } else {
      response.writeHead(404).end();
    }
  });

  return {
    async listen() {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    deliver(invocation) {
      if (!waiting) throw new Error('The runtime has not asked for an invocation');
      sendInvocation(waiting, invocation);
      waiting = undefined;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function sendInvocation(response: ServerResponse, { requestId, event, functionArn, deadlineMs }: Invocation): void {
  const body = JSON.stringify(event);
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'lambda-runtime-aws-request-id': requestId,
    'lambda-runtime-deadline-ms': String(deadlineMs),
    'lambda-runtime-invoked-function-arn': functionArn,
    'lambda-runtime-trace-id': `Root=1-${requestId.slice(0, 8)}-${requestId.replaceAll('-', '').slice(8)};Sampled=0`,
  });
  response.end(body);
}

function toAnswer(request: IncomingMessage): FunctionAnswer {
  // Without a listener, a runtime that dies in the middle of its answer would bring the stack down.
  request.on('error', () => {});
  return {
    streaming: request.headers['lambda-runtime-function-response-mode'] === 'streaming',
    contentType: request.headers['content-type'],
    body: request,
    trailingError() {
      const errorType = request.trailers['lambda-runtime-function-error-type'];
      if (!errorType) return undefined;
      const body = Buffer.from(request.trailers['lambda-runtime-function-error-body'] ?? '', 'base64').toString();
      return { ...parseError(body), errorType };
    },
  };
}

function readError(request: IncomingMessage, response: ServerResponse, report: (error: FunctionError) => void): void {
  let text = '';
  request.setEncoding('utf8');
  request.on('error', () => {});
  request.on('data', (chunk) => {
    text += chunk;
  });
  request.on('end', () => {
    report(parseError(text));
    response.writeHead(202).end();
  });
}

function parseError(text: string): FunctionError {
  try {
    const { errorType, errorMessage } = JSON.parse(text) as Partial<FunctionError>;
    return { errorType: errorType ?? 'Error', errorMessage: errorMessage ?? '' };
  } catch {
    return { errorType: 'Error', errorMessage: text };
  }
}
