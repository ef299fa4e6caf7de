import type { PlacedKey } from '../../providers/key-ring.ts';
import { findProvider, type Provider } from '../../providers/provider.ts';
import type { Failure } from '../../routing/failure.ts';
import type { PlannedAttempt } from '../../routing/plan.ts';
import { targetName } from '../../routing/target-name.ts';
import type { GatewayRequest } from '../exchange.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import { GatewayError } from '../gateway-error.ts';
import type { AttemptContext } from './attempt.ts';

/** Places of keys that a caller wants, both included. */
export type KeyRange = { from: number; to: number };

const keyHeader = 'x-sluice-provider-key';

/** Which of a provider's keys the caller wants, `2` or `2-4`, counted from 1; undefined when it does not care. */
export function wantedKeys({ headers }: Pick<GatewayRequest, 'headers'>): KeyRange | undefined {
  const text = headers[keyHeader];
  if (text === undefined) return undefined;
  const [, from, to = from] = /^([1-9]\d{0,3})(?:-([1-9]\d{0,3}))?$/.exec(text) ?? [];
  if (from !== undefined && Number(from) <= Number(to)) return { from: Number(from), to: Number(to) };
  throw new GatewayError(
    'invalid_request',
    `The header ${keyHeader} must be the place of a key, such as 2, or a range of places, such as 2-4.`,
    { param: keyHeader },
  );
}

/** `tried` are keys that the request has had no luck with. */
type Asker = Partial<Pick<AttemptContext, 'keyRange'>> & { tried?: readonly string[] };

/** The keys of a provider, in the first entry of the vendor secret that has any; those that the caller wants. */
export async function keysOf(
  provider: Pick<Provider, 'secretNames'>,
  { keyRange, tried = [] }: Asker,
  deps: Pick<GatewayDeps, 'secrets'>,
): Promise<readonly PlacedKey[]> {
  const secrets = await deps.secrets.get();
  for (const name of provider.secretNames) {
    const keys = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
    if (!keys || keys.length === 0) continue;
    const placed = keys
      .map((secret, index) => ({ secret, place: index + 1 }))
      .filter(({ secret }) => !tried.includes(secret));
    return keyRange ? placed.filter(({ place }) => place >= keyRange.from && place <= keyRange.to) : placed;
  }
  return [];
}

/** The key for an attempt; a failure when the caller wants one that is not there, or all are known to be limited. */
export async function chooseKey(
  target: PlannedAttempt,
  provider: Provider,
  context: Asker,
  deps: GatewayDeps,
): Promise<{ secret: string | undefined; place?: number } | { failure: Failure }> {
  const keys = await keysOf(provider, context, deps);
  const { rotation, weights } = provider.keys;
  const nowMs = deps.now();
  const chosen = deps.keyRing.choose(keys, {
    target: targetName(target),
    rotation,
    weights,
    nowMs,
    entropy: deps.random(),
    turn: () => deps.turns.next(`keys#${provider.name}`),
  });
  if (!chosen) {
    const { keyRange } = context;
    const hasAny = keyRange !== undefined && (await keysOf(provider, {}, deps)).length > 0;
    return hasAny ? { failure: noneInRange(keyRange) } : { secret: undefined };
  }
  if ('secret' in chosen) return chosen;
  const retryAfterMs = chosen.restsUntilMs - nowMs;
  return { failure: { kind: 'rate_limited', retryAfterMs, detail: 'Its keys rest, as it has asked for' } };
}

/** The caller's mistake, where another provider may have as many keys. */
function noneInRange({ from, to }: KeyRange): Failure {
  const place = from === to ? from : `${from} to ${to}`;
  return { kind: 'unsupported', unsupported: [keyHeader], detail: `There is no key at place ${place}.` };
}

/** Whether a target has another key that is not resting. */
export async function hasRestedKey(
  target: PlannedAttempt,
  asker: Asker,
  { context, deps }: { context: Pick<AttemptContext, 'snapshot'>; deps: GatewayDeps },
): Promise<boolean> {
  const provider = findProvider(context.snapshot, target.provider);
  return provider !== undefined && (await hasOtherKey(provider, { ...asker, target }, deps));
}

/** Whether a provider has a key that was not tried yet and is not resting. */
export async function hasOtherKey(
  provider: Provider,
  { target, ...asker }: Asker & { target: PlannedAttempt },
  deps: Pick<GatewayDeps, 'secrets' | 'keyRing' | 'now'>,
): Promise<boolean> {
  return deps.keyRing.hasRested(await keysOf(provider, asker, deps), targetName(target), deps.now());
}

const restAfterRefusalMs = 60_000;
const restAfterLimitMs = 5_000;
const longestRestMs = 300_000;

/** Lets a key rest that was refused or limited: for the target, or everywhere when the account itself is concerned. */
export function restKey(
  { kind, status, retryAfterMs, error }: Failure,
  { secret, target }: { secret: string | undefined; target: PlannedAttempt },
  deps: Pick<GatewayDeps, 'keyRing' | 'now'>,
): void {
  if (secret === undefined || (kind !== 'unauthorized' && kind !== 'rate_limited')) return;
  // 402 and this code: the account is empty. 403 may speak of the model alone, which the caller has chosen.
  const isAccount = kind === 'unauthorized' ? status !== 403 : status === 402 || error?.code === 'insufficient_quota';
  const usualMs = kind === 'unauthorized' ? restAfterRefusalMs : restAfterLimitMs;
  deps.keyRing.rest(secret, {
    untilMs: deps.now() + Math.min(retryAfterMs ?? usualMs, longestRestMs),
    asked: kind === 'rate_limited' && retryAfterMs !== undefined,
    ...(isAccount ? {} : { target: targetName(target) }),
  });
}
