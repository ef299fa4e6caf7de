import { TokenRefusedError } from '../../providers/access-tokens.ts';
import { cloudflareHeaders } from '../../providers/cloudflare-gateway.ts';
import type { Provider } from '../../providers/provider.ts';
import { UnusableKeyError } from '../../providers/service-account.ts';
import type { Failure } from '../../routing/failure.ts';
import { targetName } from '../../routing/target-name.ts';
import { universalCall } from '../forwarding/universal-call.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import type { Operation, VendorRequest } from '../operation.ts';
import type { Timings } from '../timings.ts';
import { type Authorization, authorize, gatewayHeaders, type ProviderKey, readProviderKey } from './authorize.ts';
import { type KeyRange, keysOf } from './provider-keys.ts';
import { outgoingHeaders } from './vendor-request.ts';

/** A call that only has to be sent. */
export type PreparedCall = {
  provider: Provider;
  outgoing: VendorRequest;
  /** What goes over the wire. */
  call: { path: string; headers: Record<string, string>; body: Buffer | string };
  key: ProviderKey;
  authorization: Authorization;
  /** What was sent and must not be told: the key, tokens, further keys. */
  hidden(): readonly string[];
};

/** So many steps beside the first; as often the body is sent, as long as all of it stays small. */
const mostFurtherKeys = 4;
const largestUniversalBody = 4 * 1024 * 1024;

/** What a call is made from. */
export type CallPlan = {
  operation: Operation;
  model: string;
  forwardedHeaders: Record<string, string>;
  dropsUnsupported: boolean;
  deadlineMs: number;
  signal: AbortSignal;
  timings: Timings;
  /** The keys that the caller wants. */
  keyRange?: KeyRange | undefined;
};

/** Writes the request for a provider and authorizes it, or says why that cannot be. */
export async function prepareCall(
  plan: CallPlan,
  { provider, secret }: { provider: Provider; secret: string | undefined },
  deps: Pick<GatewayDeps, 'awsCredentials' | 'accessTokens' | 'secrets' | 'keyRing' | 'now'>,
): Promise<PreparedCall | { failure: Failure }> {
  try {
    const key = readProviderKey(provider, secret);
    const target = { model: plan.model, project: key.project };
    const outgoing = await plan.timings.during('translate', () => plan.operation.requestTo(provider, target));
    if ('failure' in outgoing) return outgoing;
    const { unsupported } = outgoing;
    if (unsupported.length > 0 && !plan.dropsUnsupported) return { failure: { kind: 'unsupported', unsupported } };
    const signable = { ...outgoing, headers: { 'content-type': 'application/json', ...outgoing.headers } };
    const authorization = await authorize(signable, { provider, key }, deps, plan);
    if (!authorization) return { failure: { kind: 'no_secret' } };
    const opening = { ...authorization.headers, ...(await gatewayHeaders(provider, deps)) };
    const headers = outgoingHeaders(outgoing, provider, forwardedTo(provider, plan.forwardedHeaders), opening);
    const { path, body } = outgoing;
    const keys = await furtherKeys({ provider, secret, plan }, deps);
    const call = asUniversal({ path, headers, body }, provider, keys);
    return { provider, outgoing, call, key, authorization, hidden: () => secretsIn(opening, key.secret, ...keys) };
  } catch (error) {
    const failure = failureOfKey(error);
    if (failure) return { failure };
    throw error;
  }
}

/** Keys and tokens among headers that authorize (a date is none), and the keys that they were made of. */
export function secretsIn(headers: Record<string, string>, ...keys: (string | undefined)[]): string[] {
  const sent = Object.entries(headers)
    .filter(([name]) => /authorization|key|token/.test(name))
    .map(([, value]) => value.replace(/^Bearer /, ''));
  return [...sent, ...keys.flatMap((key) => (key ? [key] : []))];
}

type Asked = { provider: Provider; secret: string | undefined; plan: CallPlan };
type UniversalDeps = Pick<GatewayDeps, 'secrets' | 'keyRing' | 'now'>;

/** As steps of a gateway that is asked for them; only what is text can be one. */
function asUniversal(call: PreparedCall['call'], provider: Provider, keys: readonly string[]): PreparedCall['call'] {
  const { path, headers, body } = call;
  if (provider.universalPath === undefined || typeof body !== 'string') return call;
  const room = Math.floor(largestUniversalBody / Math.max(1, body.length)) - 1;
  const fitting = keys.slice(0, Math.max(0, Math.min(room, mostFurtherKeys)));
  return universalCall({ path, headers, body }, provider, fitting);
}

/** The other keys that do not rest, where a key is sent as it is. */
async function furtherKeys({ provider, secret, plan }: Asked, deps: UniversalDeps): Promise<readonly string[]> {
  if (provider.universalPath === undefined) return [];
  if (secret === undefined || !['bearer', 'header'].includes(provider.auth.kind)) return [];
  const others = await keysOf(provider, { keyRange: plan.keyRange, tried: [secret] }, deps);
  const target = targetName({ provider: provider.name, model: plan.model });
  return others.filter((key) => deps.keyRing.hasRested([key], target, deps.now())).map((key) => key.secret);
}

/** Whether a gateway of Cloudflare's stands between here and the vendor. */
export function isCloudflareGateway({ auth, cloudflareToken }: Provider): boolean {
  return cloudflareToken !== undefined || (auth.kind === 'header' && auth.name === 'cf-aig-authorization');
}

/** What callers say to a gateway of Cloudflare's goes to none but those. */
function forwardedTo(provider: Provider, headers: Record<string, string>): Record<string, string> {
  if (isCloudflareGateway(provider)) return headers;
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !cloudflareHeaders.includes(name)));
}

/** What it means that a key gave no token; undefined for everything else. */
export function failureOfKey(error: unknown): Failure | undefined {
  if (error instanceof UnusableKeyError) return { kind: 'unauthorized', detail: error.message };
  if (!(error instanceof TokenRefusedError)) return undefined;
  const { status, message: detail } = error;
  const kind = status === 429 || status >= 500 ? 'server_error' : 'unauthorized';
  return { kind, status, detail };
}

/** Whether a call was refused for a token that had been remembered; if so it is forgotten, and another may be asked for. */
export function forgetRefusedToken(
  { key, authorization }: Pick<PreparedCall, 'key' | 'authorization'>,
  { kind, status }: Failure,
  startedMs: number,
  deps: Pick<GatewayDeps, 'accessTokens'>,
): boolean {
  const { token } = authorization;
  if (kind !== 'unauthorized' || status !== 401 || !token || key.google?.kind !== 'service-account') return false;
  deps.accessTokens.forget(key.google.account, token);
  // One that was asked for just now is refused for the account's own sake.
  return token.issuedAtMs < startedMs;
}
