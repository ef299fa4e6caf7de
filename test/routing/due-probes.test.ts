import { describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import type { Breaker } from '../../lambda/routing/breaker.ts';
import { dueProbes } from '../../lambda/routing/due-probes.ts';
import type { Knowledge, TargetKnowledge } from '../../lambda/routing/knowledge.ts';
import { targetName } from '../../lambda/routing/target-name.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

const nowMs = 10_000_000_000;
const minuteMs = 60_000;

function models(targets: Record<string, string[]>, fallbacks: Record<string, string[]> = {}): Snapshot['models'] {
  return recordByName(
    Object.entries(targets).map(([name, providers]) => [
      name,
      {
        ...aModel('a'),
        targets: providers.map((provider) => ({ provider, model: 'm', weight: 1 })),
        fallbacks: fallbacks[name] ?? [],
      },
    ]),
  );
}

function known(ageMinutes: number, counters: TargetKnowledge['counters']): TargetKnowledge {
  return { updatedAtMs: nowMs - ageMinutes * minuteMs, attemptsPerSecond: 0, counters };
}

function due(
  snapshot: Partial<Snapshot>,
  targets: Knowledge['targets'],
  breakers: Record<string, Breaker> = {},
): string[] {
  const knowledge = { foldedAtMs: nowMs, targets };
  return dueProbes({ snapshot: aSnapshot(snapshot), knowledge, breakers, nowMs }).map(targetName);
}

const busy = known(0, { attempts: 100 });

describe('a target is probed', () => {
  test('when another one of its model is in demand and nothing is known of it', () => {
    expect(due({ models: models({ fast: ['a', 'b'] }) }, { 'a/m': busy })).toEqual(['b/m']);
  });

  test('when what is known is both thin and old, the oldest first', () => {
    const targets = {
      'a/m': busy,
      'b/m': known(12, { attempts: 1 }),
      'c/m': known(20, { attempts: 1 }),
      'd/m': known(9, { attempts: 1 }),
      'e/m': known(12, { attempts: 50 }),
    };

    expect(due({ models: models({ fast: ['a', 'b', 'c', 'd', 'e'] }) }, targets)).toEqual(['c/m', 'b/m']);
  });

  test('not when callers only want embeddings or pictures of its model, which a probe would not ask for', () => {
    const snapshot = { models: models({ fast: ['a', 'b'] }) };

    expect(due(snapshot, { 'a/m': known(0, { attempts: 100, others: 100 }) })).toEqual([]);
    expect(due(snapshot, { 'a/m': known(0, { attempts: 100, others: 60, probes: 1 }) })).toEqual(['b/m']);
  });

  test('when it belongs to a fallback model', () => {
    const snapshot = { models: models({ fast: ['a'], spare: ['b'] }, { fast: ['spare'] }) };

    expect(due(snapshot, { 'a/m': busy })).toEqual(['b/m']);
  });

  test('as early as the settings say', () => {
    const snapshot = { models: models({ fast: ['a', 'b'] }), settings: { probes: { staleAfterMinutes: 2 } } };

    expect(due(snapshot, { 'a/m': busy, 'b/m': known(3, { attempts: 1 }) })).toEqual(['b/m']);
  });

  test('when its breaker has been left untried', () => {
    const breaker: Breaker = { openedAtMs: 0, openUntilMs: nowMs - minuteMs, openings: 1, reason: 'timeout' };

    expect(due({ models: models({ fast: ['a', 'b'] }) }, { 'a/m': busy }, { 'b/m': breaker })).toEqual(['b/m']);
  });
});

describe('a target is left alone', () => {
  test('when nobody has asked for its model, probes not counted', () => {
    const snapshot = { models: models({ fast: ['a', 'b'] }) };

    expect(due(snapshot, {})).toEqual([]);
    expect(due(snapshot, { 'a/m': known(30, { attempts: 2, probes: 2 }) })).toEqual([]);
  });

  test('when there is no choice to be made', () => {
    expect(due({ models: models({ lonely: ['a'] }) }, { 'a/m': known(30, { attempts: 1 }) })).toEqual([]);
  });

  test('when its breaker says so, or somebody tries it', () => {
    const snapshot = { models: models({ fast: ['a', 'b', 'c'] }) };
    const breaker: Breaker = { openedAtMs: 0, openUntilMs: nowMs + 1, openings: 1, reason: 'timeout' };
    const leased = { ...breaker, openUntilMs: nowMs - minuteMs, leasedUntilMs: nowMs + 1 };

    expect(due(snapshot, { 'a/m': busy }, { 'b/m': breaker, 'c/m': leased })).toEqual([]);
  });

  test('when probes are switched off', () => {
    const snapshot = { models: models({ fast: ['a', 'b'] }), settings: { probes: { enabled: false } } };

    expect(due(snapshot, { 'a/m': busy })).toEqual([]);
  });
});
