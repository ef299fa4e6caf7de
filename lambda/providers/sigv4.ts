import { createHash, createHmac } from 'node:crypto';

/** Keys of an AWS principal; the token belongs to those that expire, as a role's do. */
export type AwsCredentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

/**
 * A request as it goes over the wire: `path` is percent-encoded already and carries the query. Every header given here
 * is signed, so it must reach AWS unchanged; `host` must be among them.
 */
export type SignableRequest = {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
};

/** Who signs, for which service in which region, and when. Bedrock's runtime signs as `bedrock`. */
export type SigningScope = { credentials: AwsCredentials; region: string; service: string; nowMs: number };

const algorithm = 'AWS4-HMAC-SHA256';

/**
 * The headers to send besides those of the request: `authorization`, `x-amz-date`, and `x-amz-security-token` with
 * temporary credentials. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signRequest(request: SignableRequest, scope: SigningScope): Record<string, string> {
  const { accessKeyId, secretAccessKey, sessionToken } = scope.credentials;
  const date = new Date(scope.nowMs).toISOString().replace(/[-:]|\.\d+/g, '');
  const day = date.slice(0, 8);
  const added = { 'x-amz-date': date, ...(sessionToken ? { 'x-amz-security-token': sessionToken } : {}) };
  const headers = canonicalHeaders({ ...request.headers, ...added });
  const signedNames = headers.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.path),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signedNames,
    sha256(request.body),
  ].join('\n');
  const scopeName = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const key = [day, scope.region, scope.service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${secretAccessKey}`,
  );
  const signature = hmac(key, [algorithm, date, scopeName, sha256(canonical)].join('\n')).toString('hex');
  return {
    ...added,
    authorization: `${algorithm} Credential=${accessKeyId}/${scopeName}, SignedHeaders=${signedNames}, Signature=${signature}`,
  };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function canonicalHeaders(headers: Readonly<Record<string, string>>): [name: string, value: string][] {
  return Object.entries(headers)
    .map(([name, value]): [string, string] => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')])
    .sort(([a], [b]) => compare(a, b));
}

/** Encoded once more than on the wire, as every service but S3 wants it: `%3A` of a model's name becomes `%253A`. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  const [raw = ''] = path.split('?', 1);
  for (const segment of raw.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  const end = segments.length > 0 && raw.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

function canonicalQuery(path: string): string {
  const start = path.indexOf('?');
  if (start < 0) return '';
  return path
    .slice(start + 1)
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    })
    .map(([name = '', value = '']): [string, string] => [encode(decode(name)), encode(decode(value))])
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** By code unit, where `localeCompare` would follow a language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** RFC 3986: only letters, digits and `-._~` stay as they are. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
