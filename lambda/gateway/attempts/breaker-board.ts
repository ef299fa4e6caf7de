import { breakerState, type HealthSign, isAboutKey, type Opening, openedBreaker } from '../../routing/breaker.ts';
import type { FailureKind } from '../../routing/failure.ts';
import type { BreakerStore } from '../../store/breaker-store.ts';
import { type KnownBreakers, knownBreakers, remember } from './known-breakers.ts';
import { createLeases, type Lease, type Leases } from './leases.ts';
import { outcomeCounter } from './outcome-counter.ts';
import { sharedBreakers } from './shared-breakers.ts';

/** What an attempt has shown of the health of its target. */
export type Sign = {
  target: string;
  sign: HealthSign;
  reason: FailureKind;
  startedAtMs: number;
  /** It has given an answer, and not just shown that it is up. */
  answered?: boolean;
  /** How long the vendor asked to be left alone. */
  retryAfterMs?: number | undefined;
  /** Another key of the provider may still be used: then one that was limited or refused says nothing of the target. */
  otherKeyLeft?: boolean;
  lease?: Lease | undefined;
};

/** The breakers as one gateway knows them, and how it shares what it finds out. */
export type BreakerBoard = Pick<KnownBreakers, 'overlay' | 'breaker' | 'state'> &
  Pick<Leases, 'lease' | 'giveBack'> & {
    /** Takes what an attempt has shown. Known here at once; the fleet is told behind the request. */
    note(sign: Sign): void;
    /** Resolves when the fleet has been told everything. */
    settled(): Promise<void>;
  };

export type BreakerEvent =
  | { event: 'BreakerOpened'; target: string; reason: FailureKind; openUntilMs: number; openings: number }
  | { event: 'BreakerClosed'; target: string };

export type BreakerBoardParts = {
  store: BreakerStore;
  /** Whether it is more than a name that a caller has given: the breakers of such names are not shared until they answer. */
  isConfigured: (target: string) => Promise<boolean>;
  now: () => number;
  newId: () => string;
  emit: (event: BreakerEvent) => void;
  /** Hears when the fleet could not be told; what is known here stays in force here. */
  onError: (error: unknown) => void;
};

export function createBreakerBoard(parts: BreakerBoardParts): BreakerBoard {
  const { now, newId, emit, onError } = parts;
  const known = knownBreakers(now);
  const { store, vouchFor } = vouchedBreakers(parts, known);
  const { behind, settled } = backgroundWork(onError);
  const leases = createLeases({ store, known, now, newId, onError, behind });
  const counter = outcomeCounter({ now, attemptsPerSecond: known.attemptsPerSecond, report: store.report, behind });

  function open(target: string, opening: Opening, holder?: string): void {
    const opened = openedBreaker(known.breaker(target), opening);
    known.learn(target, opened);
    counter.forget(target);
    behind(async () => {
      const options = {
        writer: newId(),
        nowMs: opening.nowMs,
        asked: opening.retryAfterMs !== undefined,
        ...(holder && { holder }),
      };
      const { mine, inForce } = await store.open(target, opened, options);
      if (!mine) return known.learn(target, inForce);
      const { reason, openUntilMs, openings } = opened;
      emit({ event: 'BreakerOpened', target, reason, openUntilMs, openings });
    });
  }

  function close(target: string, startedAtMs: number): void {
    known.learn(target, undefined);
    behind(async () => {
      if (await store.close(target, startedAtMs)) emit({ event: 'BreakerClosed', target });
    });
  }

  function note(sign: Sign): void {
    take(sign);
    // Only now: what this answer closes lies where nobody had vouched for it.
    if (sign.answered) vouchFor(sign.target);
  }

  function take({ target, sign, reason, startedAtMs, retryAfterMs, otherKeyLeft, lease }: Sign): void {
    const nowMs = now();
    const opening = { reason, nowMs, retryAfterMs };
    if (otherKeyLeft && isAboutKey(sign)) return;
    if (lease && sign === 'neither') leases.giveBack(target, lease);
    if (sign === 'neither') return;
    if (lease) leases.use(lease);
    const current = known.breaker(target);
    const state = breakerState(current, nowMs);
    if (!current || state === 'closed') {
      const openNow = () => open(target, { ...opening, nowMs: now() });
      if (isAboutKey(sign) || counter.count(target, sign === 'down', openNow)) openNow();
      return;
    }
    // What began before the opening is older news than the opening.
    if (startedAtMs <= current.openedAtMs) return;
    const asksForLonger = retryAfterMs !== undefined && nowMs + retryAfterMs > current.openUntilMs;
    if (sign === 'up') close(target, startedAtMs);
    else if (lease || state === 'half-open' || asksForLonger) open(target, opening, lease?.holder);
  }

  return { ...known, note, lease: leases.lease, giveBack: leases.giveBack, settled };
}

/** Shares the breakers of targets that are configured, that have answered here, or that others have shared. */
function vouchedBreakers({ store, isConfigured }: BreakerBoardParts, { isPolled }: KnownBreakers) {
  const answered = new Map<string, true>();
  const isVouchedFor = async (target: string) =>
    answered.has(target) || isPolled(target) || (await isConfigured(target));
  return {
    store: sharedBreakers(store, isVouchedFor),
    vouchFor: (target: string) => remember(answered, target, true),
  };
}

/** Work that no request waits for, but that must be over before the process is frozen. */
function backgroundWork(onError: (error: unknown) => void) {
  const running = new Set<Promise<void>>();
  return {
    behind(work: () => Promise<void>): void {
      const done = work()
        .catch(onError)
        .finally(() => running.delete(done));
      running.add(done);
    },
    async settled(): Promise<void> {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
