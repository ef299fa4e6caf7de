import { describe, expect, test } from '@jest/globals';
import { type BreakerEvent, createBreakerBoard, type Sign } from '../../../lambda/gateway/attempts/breaker-board.ts';
import type { Breaker } from '../../../lambda/routing/breaker.ts';
import { emptyLiveStats } from '../../../lambda/routing/live-stats.ts';
import type { BreakerStore } from '../../../lambda/store/breaker-store.ts';
import { memoryBreakerStore } from '../../../lambda/store/memory-breaker-store.ts';

const target = 'openai/gpt-4o';

/** A fleet: one table, one clock, and as many gateways as a test wants. */
function fleet() {
  const clock = { nowMs: 1_000_000 };
  const breakers = new Map<string, Breaker>();
  const store = memoryBreakerStore(breakers);
  const events: BreakerEvent[] = [];
  const errors: unknown[] = [];
  let ids = 0;
  const gateway = (own: Partial<BreakerStore> = {}) =>
    createBreakerBoard({
      store: { ...store, ...own },
      isConfigured: async (name) => name === target,
      now: () => clock.nowMs,
      newId: () => `id-${ids++}`,
      emit: (event) => void events.push(event),
      onError: (error) => void errors.push(error),
    });
  const polled = () => ({ ...emptyLiveStats, breakers: Object.fromEntries(breakers) });
  return { clock, breakers, store, events, errors, gateway, polled };
}

function sign(fields: Partial<Sign> = {}): Sign {
  return { target, sign: 'down', reason: 'server_error', startedAtMs: 1_000_000, ...fields };
}

describe('a breaker', () => {
  test('opens in its gateway at the third failure in a row, and for the fleet behind the request', async () => {
    const { gateway, polled, events } = fleet();
    const board = gateway();
    const states = [1, 2, 3].map(() => {
      board.note(sign());
      return board.state(target);
    });

    expect(states).toEqual(['closed', 'closed', 'open']);
    await board.settled();
    const other = gateway();
    expect(other.state(target)).toBe('closed');
    expect(other.overlay(polled()).breakers[target]).toMatchObject({ reason: 'server_error', openUntilMs: 1_005_000 });
    expect(other.state(target)).toBe('open');
    expect(events).toEqual([
      { event: 'BreakerOpened', target, reason: 'server_error', openUntilMs: 1_005_000, openings: 1 },
    ]);
  });

  test('opens when three gateways have seen one failure each', async () => {
    const { gateway, events } = fleet();
    const boards = [gateway(), gateway(), gateway()];
    for (const board of boards) {
      board.note(sign());
      await board.settled();
    }

    expect(boards.map((board) => board.state(target))).toEqual(['closed', 'closed', 'open']);
    expect(events).toHaveLength(1);
  });

  test('stays closed when the successes outweigh the failures, here or in the fleet', async () => {
    const { gateway, polled } = fleet();
    const here = gateway();
    for (let i = 0; i < 4; i++) here.note(sign({ sign: 'up' }));
    for (let i = 0; i < 3; i++) here.note(sign());
    expect(here.state(target)).toBe('closed');

    const busy = gateway();
    const score = { attemptsPerSecond: 50 } as ReturnType<typeof polled>['scores']['targets'][string];
    busy.overlay({ ...polled(), scores: { foldedAtMs: 0, targets: { [target]: score } } });
    for (let i = 0; i < 24; i++) busy.note(sign());
    expect(busy.state(target)).toBe('closed');
    busy.note(sign());
    expect(busy.state(target)).toBe('open');
  });

  test('is told to the fleet at most once a second while the target fails', async () => {
    const { gateway, clock } = fleet();
    let reports = 0;
    const board = gateway({
      report: async () => {
        reports++;
        return [];
      },
    });
    for (let i = 0; i < 30; i++) board.note(sign({ sign: 'up' }));
    for (let i = 0; i < 15; i++) {
      board.note(sign());
      clock.nowMs += 100;
    }
    await board.settled();

    expect(reports).toBe(2);
  });

  test('opens for as long as the vendor asks when no key is left, and not while another key is', async () => {
    const { gateway } = fleet();
    const limited = sign({ sign: 'limited', reason: 'rate_limited', retryAfterMs: 30_000 });
    const board = gateway();

    board.note({ ...limited, otherKeyLeft: true });
    expect(board.state(target)).toBe('closed');
    board.note({ ...limited, otherKeyLeft: false });
    expect(board.breaker(target)).toMatchObject({ reason: 'rate_limited', openUntilMs: 1_030_000 });
  });

  test('is not opened again by what began before its opening, nor closed by it', () => {
    const { gateway, clock } = fleet();
    const board = gateway();
    for (let i = 0; i < 3; i++) board.note(sign());
    clock.nowMs += 6_000;

    board.note(sign({ startedAtMs: 999_000 }));
    expect(board.state(target)).toBe('half-open');
    board.note(sign({ sign: 'up', startedAtMs: 999_000 }));
    expect(board.state(target)).toBe('half-open');
  });
});

describe('the breaker of a target that only a caller has named', () => {
  const named = { target: 'openai/made-up', reason: 'not_found' as const };

  test('opens, is leased to one request, and closes in its gateway alone', async () => {
    const { gateway, clock, polled, events } = fleet();
    const board = gateway();
    for (let i = 0; i < 3; i++) board.note(sign(named));
    await board.settled();
    expect(board.state(named.target)).toBe('open');
    expect(polled().breakers).toEqual({});

    clock.nowMs += 5_000;
    const lease = await board.lease(named.target, 10_000);
    expect(await board.lease(named.target, 10_000)).toBeUndefined();
    clock.nowMs += 100;
    board.note(sign({ ...named, sign: 'up', answered: true, startedAtMs: clock.nowMs - 50, lease }));
    await board.settled();
    expect(board.state(named.target)).toBe('closed');
    expect(events.map(({ event }) => event)).toEqual(['BreakerOpened', 'BreakerClosed']);
  });

  test('is the whole fleet’s once the target has answered, and for who has polled it', async () => {
    const { gateway, clock, breakers, polled } = fleet();
    const board = gateway();
    board.note(sign({ ...named, sign: 'up', answered: true }));
    clock.nowMs += 30_000;
    for (let i = 0; i < 3; i++) board.note(sign({ ...named, startedAtMs: clock.nowMs }));
    await board.settled();
    expect(Object.keys(polled().breakers)).toEqual([named.target]);

    const other = gateway();
    other.overlay(polled());
    clock.nowMs += 5_000;
    expect(await other.lease(named.target, 10_000)).toBeDefined();
    expect(breakers.get(named.target)?.leasedUntilMs).toBe(clock.nowMs + 10_000);
  });
});

describe('a half-open breaker', () => {
  function opened() {
    const world = fleet();
    const board = world.gateway();
    for (let i = 0; i < 3; i++) board.note(sign());
    return { ...world, board };
  }

  test('is leased to one gateway; the others learn that and keep away without asking again', async () => {
    const { board, gateway, clock, polled } = opened();
    await board.settled();
    let asked = 0;
    const others = [1, 2].map(() => gateway());
    for (const other of others) other.overlay(polled());
    clock.nowMs += 5_000;

    expect(board.state(target)).toBe('half-open');
    expect(await board.lease(target, 10_000)).toBeDefined();
    for (const other of others) {
      expect(await other.lease(target, 10_000)).toBeUndefined();
      expect(other.state(target)).toBe('open');
      asked += other.overlay(polled()).breakers[target]?.leasedUntilMs === clock.nowMs + 10_000 ? 1 : 0;
    }
    expect(asked).toBe(2);
  });

  test('is closed by the success of the trying request, for everybody', async () => {
    const { board, gateway, clock, polled, events } = opened();
    await board.settled();
    const stale = polled();
    clock.nowMs += 5_000;
    const lease = await board.lease(target, 10_000);
    clock.nowMs += 300;
    board.note(sign({ sign: 'up', startedAtMs: clock.nowMs - 300, lease }));

    expect(board.state(target)).toBe('closed');
    // What was polled before the closing does not open it again here.
    expect(board.overlay(stale).breakers).toEqual({});
    await board.settled();
    expect(gateway().overlay(polled()).breakers).toEqual({});
    expect(events.at(-1)).toEqual({ event: 'BreakerClosed', target });
  });

  test('opens again, for longer, when the trying request fails', async () => {
    const { board, clock, polled } = opened();
    await board.settled();
    const lengths: number[] = [];
    for (let i = 0; i < 3; i++) {
      clock.nowMs = polled().breakers[target]!.openUntilMs;
      const lease = await board.lease(target, 10_000);
      board.note(sign({ startedAtMs: clock.nowMs, lease }));
      await board.settled();
      lengths.push(polled().breakers[target]!.openUntilMs - clock.nowMs);
    }

    expect(lengths).toEqual([10_000, 15_000, 15_000]);
  });

  test('is for the next one as soon as the trying request has gone without a result, whatever older polls show', async () => {
    const { board, clock, polled } = opened();
    await board.settled();
    clock.nowMs += 5_000;
    const first = await board.lease(target, 10_000);
    const leased = polled();
    clock.nowMs += 400;
    board.note(sign({ sign: 'neither', lease: first, startedAtMs: clock.nowMs - 400 }));
    await board.settled();
    board.overlay(leased);

    expect(board.state(target)).toBe('half-open');
    expect(await board.lease(target, 10_000)).toBeDefined();
    expect(board.overlay(leased).breakers[target]?.leasedUntilMs).toBe(clock.nowMs + 10_000);
  });

  test('is for the next one too when the holder of the lease has not come back', async () => {
    const { board, clock } = opened();
    await board.settled();
    clock.nowMs += 5_000;
    await board.lease(target, 10_000);

    expect(await board.lease(target, 10_000)).toBeUndefined();
    clock.nowMs += 10_000;
    expect(await board.lease(target, 10_000)).toBeDefined();
  });

  test('is for other gateways too when a lease that they know of was given back, once they have polled', async () => {
    const { board, gateway, clock, polled } = opened();
    await board.settled();
    const other = gateway();
    other.overlay(polled());
    clock.nowMs += 5_000;
    const lease = await board.lease(target, 25_000);
    expect(await other.lease(target, 25_000)).toBeUndefined();
    board.giveBack(target, lease!);
    await board.settled();
    expect(other.state(target)).toBe('open');
    clock.nowMs += 4_000;
    other.overlay(polled());

    expect(other.state(target)).toBe('half-open');
    expect(await other.lease(target, 25_000)).toBeDefined();
  });

  test('is not for the next one when a lease is given back that has led to something or is no longer the one', async () => {
    const { board, gateway, clock, polled } = opened();
    await board.settled();
    clock.nowMs += 5_000;
    const late = await board.lease(target, 1_000);
    clock.nowMs += 1_000;
    const other = gateway();
    other.overlay(polled());
    const lease = await other.lease(target, 10_000);
    board.giveBack(target, late!);
    await board.settled();
    expect(polled().breakers[target]?.leasedUntilMs).toBe(clock.nowMs + 10_000);

    other.note(sign({ startedAtMs: clock.nowMs, lease }));
    other.giveBack(target, lease!);
    await other.settled();
    expect(other.state(target)).toBe('open');
    expect(polled().breakers[target]).toMatchObject({ openings: 2, openUntilMs: clock.nowMs + 10_000 });
  });
});

describe('without its table', () => {
  const broken: Partial<BreakerStore> = {
    report: () => Promise.reject(new Error('down')),
    open: () => Promise.reject(new Error('down')),
    lease: () => Promise.reject(new Error('down')),
    close: () => Promise.reject(new Error('down')),
  };

  test('a gateway opens, tries one request at a time, and closes by what it sees itself', async () => {
    const { gateway, clock, errors } = fleet();
    const board = gateway(broken);
    for (let i = 0; i < 3; i++) board.note(sign());
    await board.settled();
    expect(board.state(target)).toBe('open');
    clock.nowMs += 5_000;

    const leases = await Promise.all([board.lease(target, 10_000), board.lease(target, 10_000)]);
    expect(leases.filter(Boolean)).toHaveLength(1);
    clock.nowMs += 100;
    board.note(sign({ sign: 'up', startedAtMs: clock.nowMs - 50, lease: leases.find(Boolean) }));
    await board.settled();

    expect(board.state(target)).toBe('closed');
    expect(errors.length).toBeGreaterThan(0);
  });

  test('a request does not wait for the right to try longer than half a second', async () => {
    const { gateway, clock } = fleet();
    const board = gateway({ lease: () => new Promise(() => {}) });
    for (let i = 0; i < 3; i++) board.note(sign());
    clock.nowMs += 5_000;
    const started = performance.now();

    expect(await board.lease(target, 10_000)).toBeUndefined();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('one request in two seconds waits for the right to try, the others go elsewhere at once', async () => {
    const { gateway, clock } = fleet();
    let asked = 0;
    const board = gateway({
      lease: () => {
        asked++;
        return new Promise(() => {});
      },
    });
    for (let i = 0; i < 3; i++) board.note(sign());
    clock.nowMs += 5_000;

    for (let i = 0; i < 20; i++) {
      expect(await board.lease(target, 10_000)).toBeUndefined();
      expect(board.state(target)).toBe('open');
      clock.nowMs += 100;
    }
    expect(asked).toBe(1);
    expect(board.state(target)).toBe('half-open');
    expect(await board.lease(target, 10_000)).toBeUndefined();
    expect(asked).toBe(2);
  });

  test('a lease that comes when nobody waits for it any more goes back', async () => {
    const { gateway, clock, store, polled } = fleet();
    const gate = Promise.withResolvers<void>();
    const board = gateway({ lease: (...wish) => gate.promise.then(() => store.lease(...wish)) });
    for (let i = 0; i < 3; i++) board.note(sign());
    await board.settled();
    clock.nowMs += 5_000;
    expect(await board.lease(target, 25_000)).toBeUndefined();

    gate.resolve();
    await board.settled();
    expect(polled().breakers[target]).not.toHaveProperty('leasedUntilMs');
    clock.nowMs += 2_000;
    board.overlay(polled());
    expect(await board.lease(target, 25_000)).toBeDefined();
  });

  test('a lease that is refused when nobody waits for it any more keeps nobody away', async () => {
    const { gateway, clock, errors } = fleet();
    const gate = Promise.withResolvers<never>();
    const board = gateway({ lease: () => gate.promise });
    for (let i = 0; i < 3; i++) board.note(sign());
    await board.settled();
    clock.nowMs += 5_000;
    expect(await board.lease(target, 25_000)).toBeUndefined();

    clock.nowMs += 2_000;
    gate.reject(new Error('too late'));
    await board.settled();
    expect(errors).toEqual([new Error('too late')]);
    expect(board.state(target)).toBe('half-open');
  });
});
