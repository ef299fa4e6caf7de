import type { Breaker } from '../../routing/breaker.ts';
import type { BreakerStore, LeaseWish, Written } from '../../store/breaker-store.ts';
import type { KnownBreakers } from './known-breakers.ts';

/** The right to try a target whose breaker is half-open. */
export type Lease = { holder: string; untilMs: number };

/** The leases of one gateway. */
export type Leases = {
  /** Asks for the right to try a half-open target; undefined when another request has it. */
  lease(target: string, forMs: number): Promise<Lease | undefined>;
  /** Takes that something was found out with a lease: whatever follows has ended it. */
  use(lease: Lease): void;
  /** Takes that nothing was found out with a lease, so that the next request may. Without effect once it was used. */
  giveBack(target: string, lease: Lease): void;
};

export type LeaseParts = {
  store: BreakerStore;
  known: KnownBreakers;
  now: () => number;
  newId: () => string;
  onError: (error: unknown) => void;
  /** Runs something behind the request. */
  behind: (work: () => Promise<void>) => void;
};

/** A request waits no longer for the right to try something. */
const longestLeaseWaitMs = 500;
/** Nor does each request wait anew for a table that does not answer. */
const unansweredForMs = 2_000;

export function createLeases({ store, known, now, newId, onError, behind }: LeaseParts): Leases {
  const unused = new Set<string>();

  /** Without the table each gateway finds out for itself, one request at a time here too. */
  function withoutTable(target: string, current: Breaker, wish: LeaseWish): Written {
    if (known.state(target) === 'open') return { mine: false, inForce: known.breaker(target) };
    const leased = { ...current, leasedUntilMs: wish.untilMs };
    known.learn(target, leased);
    return { mine: true, inForce: leased };
  }

  /** Nobody waits for it any more, and nobody would use the lease. */
  function unanswered(target: string, current: Breaker, { asking, wish }: Unanswered): void {
    if (known.state(target) !== 'open') known.learn(target, { ...current, leasedUntilMs: now() + unansweredForMs });
    behind(async () => {
      if ((await asking).mine) await store.release(target, wish.holder);
    });
  }

  return {
    async lease(target, forMs) {
      if (known.state(target) === 'open') return undefined;
      const wish = { holder: newId(), nowMs: now(), untilMs: now() + forMs };
      const current = known.breaker(target);
      if (!current) return wish;
      const asking = store.lease(target, current, wish);
      const answer = await inTime(asking).catch((error: unknown) => {
        onError(error);
        return withoutTable(target, current, wish);
      });
      if (!answer) {
        unanswered(target, current, { asking, wish });
        return undefined;
      }
      known.learn(target, answer.inForce);
      if (!answer.mine && answer.inForce) return undefined;
      unused.add(wish.holder);
      return wish;
    },
    use: ({ holder }) => void unused.delete(holder),
    giveBack(target, { holder, untilMs }) {
      if (!unused.delete(holder)) return;
      behind(async () => {
        try {
          await store.release(target, holder);
        } finally {
          // Not before: who asks a table that does not know yet learns of a lease as long as the one given back.
          known.learnRelease(target, untilMs);
        }
      });
    },
  };
}

type Unanswered = { asking: Promise<Written>; wish: LeaseWish };

function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  const pause = new Promise<undefined>((resolve) => setTimeout(resolve, longestLeaseWaitMs, undefined).unref());
  return Promise.race([answer, pause]);
}
