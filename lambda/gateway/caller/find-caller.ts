import { timingSafeEqual } from 'node:crypto';
import type { KeyReading } from '../../config/read-key-item.ts';
import type { Cached } from '../../store/cached.ts';
import type { CachedMap } from '../../store/cached-map.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import type { Caller, GatewayDeps } from '../gateway-deps.ts';

/** Where the keys of callers are kept. */
export type CallerSources = {
  keys: Pick<CachedMap<KeyReading>, 'get'>;
  firstKeyDigest: Pick<Cached<Buffer | undefined>, 'get'>;
  telemetry: Telemetry;
  now: () => number;
};

const firstCaller: Caller = { label: 'first-key', models: undefined };

/** Finds callers by their keys; fails when a source does, since nobody can say then that a key is a wrong one. */
export function callerFinder({ keys, firstKeyDigest, telemetry, now }: CallerSources): GatewayDeps['findCaller'] {
  return async (sha256) => {
    const reading = await keys.get(sha256);
    if (reading) return callerOf(reading, now(), (reason) => telemetry.event('KeyRejected', { reason }));
    const digest = await firstKeyDigest.get();
    return digest && timingSafeEqual(digest, Buffer.from(sha256, 'hex')) ? firstCaller : undefined;
  };
}

/** Whom a key item lets in: nobody when it is disabled, expired or not valid. */
function callerOf(reading: KeyReading, nowMs: number, reject: (reason: string) => void): Caller | undefined {
  if ('errors' in reading) {
    reject(reading.errors.join(' '));
    return undefined;
  }
  const { name, label = `key-${name.slice(0, 8)}`, models, disabled, expiresAt } = reading.key;
  // A time that cannot be read compares as false, and has to keep the key out.
  if (disabled || (expiresAt !== undefined && !(Date.parse(expiresAt) > nowMs))) return undefined;
  return { label, models };
}
