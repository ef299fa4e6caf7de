import { authHeaders, type Provider } from '../../providers/provider.ts';

/** A request as it would go to the vendor's own place at the gateway. */
type Call = { path: string; headers: Record<string, string>; body: string };

/** What belongs to the connection with the gateway, and not to one of the steps. */
const ofTheConnection = /^(cf-aig-|content-length$|accept-encoding$|user-agent$)/;

/**
 * The same request for the universal endpoint of Cloudflare's gateway: a list of steps, of which the first that succeeds is
 * the answer. There is one for the key that was chosen, and one for each further key of the provider.
 * https://developers.cloudflare.com/ai-gateway/usage/universal/
 */
export function universalCall(
  { path, headers, body }: Call,
  { auth, universalPath = '' }: Provider,
  furtherKeys: readonly string[],
): Call {
  const [, provider, endpoint] = /^\/?([^/]+)\/(.*)$/s.exec(path.slice(universalPath.length)) ?? [];
  const own = Object.entries(headers).filter(([name]) => !ofTheConnection.test(name));
  const first = Object.fromEntries(own);
  const keyed = furtherKeys.map((key) => ({ ...first, ...authHeaders(auth, key) }));
  // The body is JSON already; parsed and written anew it would lose the form of its numbers.
  const steps = [first, ...keyed].map((stepHeaders) => {
    const start = JSON.stringify({ provider, endpoint, headers: stepHeaders });
    return `${start.slice(0, -1)},"query":${body}}`;
  });
  const list = `[${steps.join(',')}]`;
  return {
    path: universalPath || '/',
    headers: {
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => ofTheConnection.test(name))),
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(list)),
    },
    body: list,
  };
}
