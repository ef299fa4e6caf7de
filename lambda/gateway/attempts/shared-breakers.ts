import type { BreakerStore } from '../../store/breaker-store.ts';
import { memoryBreakerStore } from '../../store/memory-breaker-store.ts';

/**
 * The breakers of the fleet for targets that somebody vouches for, and breakers of this gateway alone for all others: a
 * caller may name any model of a provider, and what is open in the fleet is polled by every gateway all the time.
 */
export function sharedBreakers(fleet: BreakerStore, isVouchedFor: (target: string) => Promise<boolean>): BreakerStore {
  const own = memoryBreakerStore();
  const storeOf = async (target: string) => ((await isVouchedFor(target)) ? fleet : own);
  return {
    report: async (target, slice) => (await storeOf(target)).report(target, slice),
    open: async (target, breaker, options) => (await storeOf(target)).open(target, breaker, options),
    lease: async (target, breaker, wish) => (await storeOf(target)).lease(target, breaker, wish),
    release: async (target, holder) => (await storeOf(target)).release(target, holder),
    close: async (target, startedAtMs) => (await storeOf(target)).close(target, startedAtMs),
  };
}
