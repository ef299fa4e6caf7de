import type { ServerResponse } from 'node:http';
import type { FunctionAnswer } from './runtime-api.ts';

/** Status, headers and cookies in front of an answer, as handlers write them. */
export type AnswerHead = {
  statusCode?: number;
  headers?: Record<string, string | number | boolean>;
  cookies?: string[];
};

/** Where an answer goes: the caller's response and what the URL adds to it. */
export type AnswerTarget = { response: ServerResponse; urlHeaders: Record<string, string> };

const integrationContentType = 'application/vnd.awslambda.http-integration-response';
const delimiter = Buffer.alloc(8);
const bufferedLimitBytes = 6 * 1024 * 1024;
// The URL frames the body itself; what a function says about that would contradict it.
const framingHeaders = new Set(['connection', 'content-length', 'keep-alive', 'transfer-encoding']);

/** Relays an answer of a RESPONSE_STREAM URL live; breaks the caller's connection when the function breaks its stream. */
export function relayStream(answer: FunctionAnswer, target: AnswerTarget): void {
  const { response } = target;
  const { body, contentType } = answer;
  let prelude: Buffer | undefined = contentType === integrationContentType ? Buffer.alloc(0) : undefined;

  body.on('data', (chunk: Buffer) => {
    let content = chunk;
    if (prelude) {
      prelude = Buffer.concat([prelude, chunk]);
      const at = prelude.indexOf(delimiter);
      if (at < 0) return;
      content = prelude.subarray(at + delimiter.length);
      const head = parseHead(prelude.subarray(0, at));
      prelude = undefined;
      if (head) writeHead(target, head);
      else sendBadGateway(target);
    } else if (!response.headersSent) {
      writeHead(target, { headers: { 'content-type': contentType ?? 'application/octet-stream' } });
    }
    relayChunk(content, answer, response);
  });
  body.on('end', () => {
    if (answer.trailingError()) return abort(target);
    // A streaming handler that ended without a single write has sent no prelude either.
    if (prelude) return sendBadGateway(target);
    if (!response.headersSent)
      writeHead(target, { headers: { 'content-type': contentType ?? 'application/octet-stream' } });
    if (!response.writableEnded) response.end();
  });
  // The runtime died in the middle of its answer.
  body.on('close', () => {
    if (!body.readableEnded) abort(target);
  });
}

/** Sends the answer of a BUFFERED URL once it is complete. */
export function relayBuffered({ body }: FunctionAnswer, target: AnswerTarget): void {
  const chunks: Buffer[] = [];
  body.on('data', (chunk: Buffer) => chunks.push(chunk));
  body.on('end', () => {
    const payload = Buffer.concat(chunks);
    const result = parseResult(payload);
    if (result === undefined || payload.length > bufferedLimitBytes) return sendBadGateway(target);
    const { body: text = '', isBase64Encoded, ...head } = result;
    writeHead(target, head);
    target.response.end(isBase64Encoded ? Buffer.from(text, 'base64') : text);
  });
}

/** Fails a request whose function failed: with 502 when nothing was sent yet, else by breaking the connection. */
export function abort(target: AnswerTarget): void {
  const { response } = target;
  if (!response.headersSent) sendBadGateway(target);
  else if (!response.writableEnded) response.destroy();
}

function sendBadGateway({ response, urlHeaders }: AnswerTarget): void {
  if (response.headersSent) return;
  response.writeHead(502, {
    'content-type': 'application/json',
    'x-amzn-errortype': 'InternalFailureException',
    ...urlHeaders,
  });
  response.end('Internal Server Error');
}

function relayChunk(chunk: Buffer, { body }: FunctionAnswer, response: ServerResponse): void {
  // A caller that has left does not stop the function: its answer is read to the end and dropped.
  if (chunk.length === 0 || response.destroyed || response.writableEnded || response.write(chunk)) return;
  body.pause();
  const resume = (): void => {
    response.off('drain', resume).off('close', resume);
    body.resume();
  };
  response.on('drain', resume).on('close', resume);
}

function writeHead(
  { response, urlHeaders }: AnswerTarget,
  { statusCode = 200, headers = {}, cookies = [] }: AnswerHead,
): void {
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  response.writeHead(statusCode, {
    'content-type': 'application/json',
    ...Object.fromEntries(lowerCase.filter(([name]) => !framingHeaders.has(name))),
    ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}),
    ...urlHeaders,
  });
  response.flushHeaders();
}

function parseHead(bytes: Buffer): AnswerHead | undefined {
  const head = parseJson(bytes);
  return isRecord(head) && isStatus(head['statusCode'] ?? 200) ? head : undefined;
}

function parseResult(payload: Buffer): (AnswerHead & { body?: string; isBase64Encoded?: boolean }) | undefined {
  const value = parseJson(payload);
  if (value === undefined) return undefined;
  // Without a status the whole value is the body: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
  if (!isRecord(value) || value['statusCode'] === undefined) return { body: payload.toString() };
  return isStatus(value['statusCode']) ? value : undefined;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStatus(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599;
}
