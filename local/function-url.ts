import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AnswerTarget, abort, relayBuffered, relayStream } from './function-url-answer.ts';
import { answerCorsHeaders, type FunctionUrlCors, preflightHeaders } from './function-url-cors.ts';
import { toFunctionUrlEvent } from './function-url-event.ts';
import { closeServer, listen } from './listen.ts';
import { type LocalFunction, throttledErrorType } from './local-function.ts';

/** What a template says about a function URL. */
export type FunctionUrlDefinition = {
  logicalId: string;
  /** Name of the function behind it. */
  functionName: string;
  invokeMode: 'BUFFERED' | 'RESPONSE_STREAM';
  cors: FunctionUrlCors | undefined;
};

/** A function URL that listens. */
export type FunctionUrl = { url: string; port: number; close(): Promise<void> };

const requestLimitBytes = 6 * 1024 * 1024;

/** Serves a function on loopback the way its function URL does on AWS. */
export async function startFunctionUrl(
  definition: FunctionUrlDefinition,
  target: LocalFunction,
  port = 0,
): Promise<FunctionUrl> {
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 65_000 }, (request, response) => {
    response.on('error', () => {});
    void serve({ definition, target, request, response });
  });
  const boundPort = await listen(server, port);
  return {
    url: `http://127.0.0.1:${boundPort}`,
    port: boundPort,
    close: () => closeServer(server),
  };
}

type Exchange = {
  definition: FunctionUrlDefinition;
  target: LocalFunction;
  request: IncomingMessage;
  response: ServerResponse;
};

async function serve({ definition, target, request, response }: Exchange): Promise<void> {
  const { cors, invokeMode, logicalId } = definition;
  const { origin } = request.headers;
  if (cors && request.method === 'OPTIONS') {
    response.writeHead(200, preflightHeaders(cors, origin)).end();
    return;
  }

  const requestId = randomUUID();
  const urlHeaders = { 'x-amzn-requestid': requestId, ...(cors ? answerCorsHeaders(cors, origin) : {}) };
  const answerTarget = { response, urlHeaders };
  const body = await readBody(request);
  if (body === 'aborted') return;
  if (body === 'too large') return sendTooLarge(answerTarget);
  const event = toFunctionUrlEvent(request, body, { urlId: logicalId.toLowerCase(), requestId, now: new Date() });
  const relay = invokeMode === 'RESPONSE_STREAM' ? relayStream : relayBuffered;
  const { error } = await target.invoke(event, (answer) => relay(answer, answerTarget), requestId);
  if (error?.errorType === throttledErrorType) sendThrottled(answerTarget);
  else if (error) abort(answerTarget);
}

function readBody(request: IncomingMessage): Promise<Buffer | 'too large' | 'aborted'> {
  const chunks: Buffer[] = [];
  let length = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= requestLimitBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    // A body that is too large is still read to its end: clients that are cut off while they send see no answer at all.
    request.on('end', () => resolve(length > requestLimitBytes ? 'too large' : Buffer.concat(chunks)));
    request.on('error', () => resolve('aborted'));
  });
}

/** AWS answers `{"Message":…}` here, which no SDK of a model vendor understands; the gateway's own form is kinder. */
function sendTooLarge({ response, urlHeaders }: AnswerTarget): void {
  const error = {
    message:
      'The request is larger than 6 MB, the most that a function URL accepts. Send less, or send links to large files.',
    type: 'invalid_request_error',
    param: null,
    code: 'request_too_large',
  };
  response.writeHead(413, { 'content-type': 'application/json', ...urlHeaders }).end(JSON.stringify({ error }));
}

function sendThrottled({ response, urlHeaders }: AnswerTarget): void {
  const body = { Reason: 'ConcurrentInvocationLimitExceeded', Type: 'User', message: 'Rate Exceeded.' };
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': throttledErrorType };
  response.writeHead(429, { ...headers, ...urlHeaders });
  response.end(JSON.stringify(body));
}
