import type { IncomingHttpHeaders } from 'node:http';
import type { GatewayRequest } from '../exchange.ts';

/** https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 */
const hopByHop = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
];

/** Credentials, signatures, and which account of the key's shall pay: none of them is the caller's to say. */
const credentials = [
  ...['authorization', 'x-api-key', 'x-goog-api-key', 'api-key', 'cookie', 'x-goog-user-project'],
  ...['x-amz-date', 'x-amz-security-token', 'x-amz-content-sha256', 'cf-aig-authorization'],
  ...['openai-organization', 'openai-project'],
];

/** What speaks of this connection, or of the way to here. */
const ofThisHop = ['host', 'content-length', 'accept-encoding', 'expect', 'forwarded', 'via'];
const ofThisHopPattern =
  /^(x-forwarded-|x-real-ip$|x-sluice-|x-amzn-(trace-id|tls-|lambda-)|x-amz-cf-|cloudfront-|cf-)/;

const keptFromVendors = new Set([...hopByHop, ...credentials, ...ofThisHop]);

/** What the vendor sees of the caller's headers; of those that would stay here, the ones that this vendor understands. */
export function passedHeaders(
  headers: GatewayRequest['headers'],
  alsoPassed: readonly string[] = [],
): Record<string, string> {
  const named = namesIn(headers['connection']);
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const isKept = keptFromVendors.has(name) || named.has(name) || ofThisHopPattern.test(name);
    if (value !== undefined && (!isKept || alsoPassed.includes(name))) passed[name] = value;
  }
  return passed;
}

/** Headers by which a vendor speaks for its own host; the gateway frames its bodies itself. */
const ofTheirHost = [
  ...['set-cookie', 'content-length', 'alt-svc', 'strict-transport-security', 'clear-site-data', 'nel', 'report-to'],
  ...['server-timing', 'x-sluice-request-id'],
];
const keptFromCallers = new Set([...hopByHop, ...ofTheirHost]);

/** What the caller sees of the vendor's headers. */
export function answeredHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const named = namesIn(headers.connection);
  const answered: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== 'string' || keptFromCallers.has(name) || named.has(name)) continue;
    if (/^(access-control-|x-sluice-)/.test(name)) continue;
    answered[name] = value;
  }
  return answered;
}

function namesIn(connection: string | undefined): Set<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
}
