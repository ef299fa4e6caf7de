import type { IncomingHttpHeaders } from 'node:http';

/** Where vendors put it: OpenAI and most others, Anthropic, Bedrock, Azure, Cloudflare. */
const headerNames = ['x-request-id', 'request-id', 'x-amzn-requestid', 'apim-request-id', 'cf-ray'];

/** By which the vendor finds a call in its own log. Anything that does not look like an id is not one: it is logged. */
export function vendorRequestId(headers: IncomingHttpHeaders): string | undefined {
  for (const name of headerNames) {
    const value = headers[name];
    if (typeof value === 'string' && /^[\w.:-]{1,128}$/.test(value)) return value;
  }
  return undefined;
}
