import { recordByName } from '../../lambda/config/snapshot.ts';
import { createBreakerBoard } from '../../lambda/gateway/attempts/breaker-board.ts';
import type { Lease } from '../../lambda/gateway/attempts/leases.ts';
import { healthSign } from '../../lambda/routing/breaker.ts';
import type { FailureKind } from '../../lambda/routing/failure.ts';
import { planAttempts } from '../../lambda/routing/plan-attempts.ts';
import { createMeasurement } from '../../lambda/store/measurement.ts';
import { memoryBreakerStore } from '../../lambda/store/memory-breaker-store.ts';
import { memoryStatsStore } from '../../lambda/store/memory-stats-store.ts';
import { aSnapshot } from '../support/snapshots.ts';
import type { Chooser, Policy } from './policy.ts';

/** The real planner, measurement, fold and breakers, each gateway with its own view of one table. */
export const ours: Policy = {
  name: 'ours',
  fleet(gateways, { random, now }) {
    const stats = memoryStatsStore();
    const breakerStore = memoryBreakerStore(stats.breakers);
    let ids = 0;
    const newId = () => `id-${ids++}`;
    const fail = (error: unknown) => {
      throw error;
    };
    return Array.from({ length: gateways }, (): Chooser => {
      const measurement = createMeasurement({ store: stats, now, random, newId, onError: (_, error) => fail(error) });
      const board = createBreakerBoard({
        ...{ store: breakerStore, isConfigured: async () => true },
        now,
        newId,
        emit: () => {},
        onError: fail,
      });
      const leases = new Map<string, Lease>();
      return {
        async choose(nowMs, targets) {
          const model = {
            name: 'fast',
            targets: targets.map((provider) => ({ provider, model: 'm', weight: 1 })),
            strategy: 'latency' as const,
            fallbacks: [],
            timeouts: {},
          };
          const { attempts } = planAttempts({
            snapshot: aSnapshot({ models: recordByName([['fast', model]]) }),
            model,
            live: board.overlay(await measurement.live()),
            request: {
              stream: true,
              inputTokens: 500,
              maxOutputTokens: undefined,
              bodyBytes: 2_000,
              // Each request begins another conversation.
              conversation: String(random()),
            },
            nowMs,
            entropy: random(),
          });
          return attempts.map(({ provider, limits, breaker }) => ({
            target: provider,
            limitMs: limits.firstContentMs,
            ...(breaker === 'half-open' && {
              begin: async () => {
                const lease = await board.lease(`${provider}/m`, 20_000);
                if (lease) leases.set(provider, lease);
                return lease !== undefined;
              },
            }),
          }));
        },
        ended({ target, startedMs, waitMs, failure, retryAfterMs }) {
          const outcome: FailureKind | 'answered' = failure ?? 'answered';
          const lease = leases.get(target);
          leases.delete(target);
          board.note({
            target: `${target}/m`,
            sign: healthSign(outcome),
            reason: failure ?? 'cancelled',
            startedAtMs: startedMs,
            retryAfterMs,
            otherKeyLeft: false,
            lease,
          });
          measurement.measure({
            target: `${target}/m`,
            atMs: now(),
            streamed: true,
            promptSize: 'small',
            outcome,
            retry: false,
            ...((failure === undefined || failure === 'timeout') && { waitMs }),
          });
        },
        async settle() {
          await Promise.all([measurement.settle(), board.settled()]);
        },
      };
    });
  },
};
