import type { IncomingMessage } from 'node:http';

/** The request event of a function URL, payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
export type FunctionUrlEvent = {
  version: '2.0';
  routeKey: '$default';
  rawPath: string;
  rawQueryString: string;
  cookies?: string[];
  headers: Record<string, string>;
  queryStringParameters?: Record<string, string>;
  requestContext: {
    accountId: 'anonymous';
    apiId: string;
    domainName: string;
    domainPrefix: string;
    http: { method: string; path: string; protocol: string; sourceIp: string; userAgent: string };
    requestId: string;
    routeKey: '$default';
    stage: '$default';
    time: string;
    timeEpoch: number;
  };
  body?: string;
  isBase64Encoded: boolean;
};

/** What the event holds besides the request itself. */
export type EventContext = { urlId: string; requestId: string; now: Date };

const hopByHopHeaders = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade']);

// Everything else comes as base64, forms too: https://speakerdeck.com/player/bf528d4f49d948b1b89ba21f3e262629 (slide 15)
const textMediaType = /^(text\/.+|application\/(.+\+)?(json|xml|javascript))$/;

/** Builds the event that a function URL hands to its function. */
export function toFunctionUrlEvent(request: IncomingMessage, body: Buffer, context: EventContext): FunctionUrlEvent {
  const { urlId, requestId, now } = context;
  const [rawPath = '/', rawQueryString = ''] = splitOnce(request.url ?? '/', '?');
  const { cookie, ...headers } = joinHeaders(request.rawHeaders);
  const isBase64Encoded = body.length > 0 && !isText(headers);
  const sourceIp = request.socket.remoteAddress ?? '127.0.0.1';
  const domainName = `${urlId}.lambda-url.us-east-1.on.aws`;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; */) }),
    headers: { ...headers, ...forwardedHeaders(request, requestId) },
    ...(rawQueryString ? { queryStringParameters: joinParameters(rawQueryString) } : {}),
    requestContext: {
      accountId: 'anonymous',
      apiId: urlId,
      domainName,
      domainPrefix: urlId,
      http: {
        method: request.method ?? 'GET',
        path: rawPath,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: formatTime(now),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 ? { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') } : {}),
    isBase64Encoded,
  };
}

function joinHeaders(rawHeaders: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    const value = rawHeaders[index + 1] as string;
    if (hopByHopHeaders.has(name)) continue;
    // Two cookie headers are one list of cookies.
    const separator = name === 'cookie' ? '; ' : ',';
    headers[name] = headers[name] === undefined ? value : `${headers[name]}${separator}${value}`;
  }
  return headers;
}

function forwardedHeaders(request: IncomingMessage, requestId: string): Record<string, string> {
  return {
    'x-forwarded-for': request.socket.remoteAddress ?? '127.0.0.1',
    'x-forwarded-port': String(request.socket.localPort ?? 80),
    'x-forwarded-proto': 'http',
    'x-amzn-trace-id': `Root=1-${requestId.slice(0, 8)}-${requestId.replaceAll('-', '').slice(8)}`,
  };
}

function isText(headers: Record<string, string>): boolean {
  if (headers['content-encoding']) return false;
  const [mediaType = ''] = splitOnce(headers['content-type'] ?? '', ';');
  return textMediaType.test(mediaType.trim().toLowerCase());
}

function joinParameters(query: string): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    parameters[name] = name in parameters ? `${parameters[name]},${value}` : value;
  }
  return parameters;
}

/** `21/Nov/2026:08:05:00 +0000`, the way web servers log it. */
function formatTime(now: Date): string {
  const [, day, month, year, time] = now.toUTCString().split(' ');
  return `${day}/${month}/${year}:${time} +0000`;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
