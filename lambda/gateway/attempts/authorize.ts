import type { AccessToken } from '../../providers/access-tokens.ts';
import { authHeaders, type Provider } from '../../providers/provider.ts';
import { type GoogleKey, readGoogleKey } from '../../providers/service-account.ts';
import { signRequest } from '../../providers/sigv4.ts';
import { UpstreamError } from '../../providers/upstream.ts';
import type { GatewayDeps } from '../gateway-deps.ts';

/** A key of a provider, as far as a request must know it before it is written. */
export type ProviderKey = { secret: string | undefined; google?: GoogleKey; project?: string | undefined };

/** The headers that authorize a call, and the token in them, when it is one that can be asked for again. */
export type Authorization = { headers: Record<string, string>; token?: AccessToken };

/** Throws `UnusableKeyError` when the key cannot be what the provider needs. */
export function readProviderKey({ auth }: Provider, secret: string | undefined): ProviderKey {
  if (auth.kind !== 'google-service-account' || secret === undefined) return { secret };
  const google = readGoogleKey(secret);
  return { secret, google, project: google.kind === 'service-account' ? google.account.project : undefined };
}

/** What of a request is signed where providers take a signature instead of a key. */
type Signable = {
  /** `POST` where nothing is said. */
  method?: string;
  path: string;
  body: Buffer | string;
  headers: Readonly<Record<string, string>>;
};
type Deps = Pick<GatewayDeps, 'awsCredentials' | 'accessTokens' | 'now'>;
type Limits = { deadlineMs: number; signal: AbortSignal };

/** Authorizes a call; undefined when the provider wants a key or a role, and there is none. */
export async function authorize(
  request: Signable,
  { provider, key }: { provider: Provider; key: ProviderKey },
  deps: Deps,
  limits: Limits,
): Promise<Authorization | undefined> {
  if (key.google) return authorizeAtGoogle(key.google, deps, limits);
  if (key.secret !== undefined) return { headers: authHeaders(provider.auth, key.secret) };
  const headers = signatureFor(request, provider, deps) ?? (provider.keyOptional ? {} : undefined);
  return headers && { headers };
}

async function authorizeAtGoogle(key: GoogleKey, deps: Deps, limits: Limits): Promise<Authorization> {
  if (key.kind === 'api-key') return { headers: { 'x-goog-api-key': key.key } };
  if (key.kind === 'access-token') return { headers: bearer(key.token) };
  const token = await within(deps.accessTokens.get(key.account), limits.deadlineMs - deps.now(), limits.signal);
  return { headers: bearer(token.token), token };
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** The header that opens a gateway of Cloudflare's; it goes to no vendor. */
export async function gatewayHeaders(
  { cloudflareToken }: Provider,
  deps: Pick<GatewayDeps, 'secrets'>,
): Promise<Record<string, string>> {
  if (cloudflareToken === undefined) return {};
  const secrets = await deps.secrets.get();
  const [token] = Object.hasOwn(secrets, cloudflareToken) ? (secrets[cloudflareToken] ?? []) : [];
  return token === undefined ? {} : { 'cf-aig-authorization': `Bearer ${token}` };
}

/** A token that many wait for must not end with one of them, so it is only the waiting that ends. */
async function within<T>(promise: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const expire = () => reject(new UpstreamError('timeout', 'The time for the whole request is over'));
  const timer = setTimeout(expire, Math.max(0, ms));
  const leave = () => reject(new UpstreamError('connection', 'The caller has gone'));
  if (signal.aborted) leave();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([promise, end]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
  }
}

/** The headers that sign a call with the function's role; undefined where the provider takes no signature or there is no role. */
function signatureFor(
  { method = 'POST', path, body, headers }: Signable,
  { auth, region, basePath, signedAs }: Provider,
  deps: Pick<GatewayDeps, 'awsCredentials' | 'now'>,
): Record<string, string> | undefined {
  if (auth.kind !== 'sigv4' || !region || !signedAs) return undefined;
  const credentials = deps.awsCredentials();
  if (!credentials) return undefined;
  const signedPath = signedAs.basePath + path.slice(basePath.length);
  // AWS wants every header of its own to be signed, and what the body is.
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-amz') || name === 'content-type');
  const signed = { ...Object.fromEntries(own), host: signedAs.origin.host };

  const scope = { credentials, region, service: auth.service, nowMs: deps.now() };
  return signRequest({ method, path: signedPath, headers: signed, body }, scope);
}
