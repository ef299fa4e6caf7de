import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createBreakerBoard } from '../../lambda/gateway/attempts/breaker-board.ts';
import { fleetTurns } from '../../lambda/gateway/attempts/turns.ts';
import { openedBreaker } from '../../lambda/routing/breaker.ts';
import { longestCallMs } from '../../lambda/store/call-limit.ts';
import { dynamoBreakerStore } from '../../lambda/store/dynamo-breaker-store.ts';
import { dynamoConfigReader } from '../../lambda/store/dynamo-config-reader.ts';
import { dynamoIdempotencyStore } from '../../lambda/store/dynamo-idempotency-store.ts';
import { dynamoProbeBudgetStore } from '../../lambda/store/dynamo-probe-budget-store.ts';
import { dynamoStatsStore } from '../../lambda/store/dynamo-stats-store.ts';
import { dynamoTurnStore } from '../../lambda/store/dynamo-turn-store.ts';
import { secretsManagerStore } from '../../lambda/store/secrets-manager-store.ts';
import { folded } from '../support/samples.ts';
import { type SilentAws, startSilentAws } from '../support/silent-aws.ts';

/** Short enough for a test, except where it is the real one that is tested. */
const limitMs = 40;
const target = 'openai/gpt-4o';
const nowMs = 1_000_000;
const breaker = openedBreaker(undefined, { reason: 'timeout', nowMs });
const pointer = { version: 1, chunks: 2, sha256: 'x', publishedAt: '2026-01-01T00:00:00.000Z' };
const claim = { id: 'id', fingerprint: 'f', owner: 'o', nowMs, leaseUntilMs: nowMs + 1 };
const kept = { requestId: 'r', status: 200, headers: {}, body: Buffer.from('hello') };
const knowledge = { foldedAtMs: nowMs, targets: {} };

let aws: SilentAws;
beforeAll(async () => {
  aws = await startSilentAws();
});
afterAll(() => aws.stop());

const breakers = (ms = limitMs) => dynamoBreakerStore(aws.dynamoDb, 'Stats', ms);
const turns = (ms = limitMs) => dynamoTurnStore(aws.dynamoDb, 'Stats', () => nowMs, ms);
const stats = () => dynamoStatsStore(aws.dynamoDb, 'Stats', limitMs);
const idempotency = () => dynamoIdempotencyStore(aws.dynamoDb, 'Stats', limitMs);
const budget = () => dynamoProbeBudgetStore(aws.dynamoDb, 'Stats', limitMs);
const config = () => dynamoConfigReader(aws.dynamoDb, 'Config', { itemMs: limitMs, chunkMs: limitMs });
const secrets = () => secretsManagerStore(aws.secretsManager, { vendorSecret: 'v', firstKeySecret: 'f' }, limitMs);

describe('a table or a secret that never answers', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['the report of a breaker', () => breakers().report(target, { startMs: 0, failures: 1, attempts: 1 })],
    ['the opening of one', () => breakers().open(target, breaker, { writer: 'w', nowMs })],
    ['its lease', () => breakers().lease(target, breaker, { holder: 'h', nowMs, untilMs: nowMs + 1 })],
    ['the release of it', () => breakers().release(target, 'h')],
    ['its closing', () => breakers().close(target, nowMs)],
    ['turns', () => turns().take('keys', 4)],
    ['scores', () => stats().readLive()],
    ['samples', () => stats().writeSamples({ name: 'n', atMs: nowMs, slices: [] })],
    ['samples that are read', () => stats().readSamples(nowMs - 9_000, nowMs)],
    ['the lease of a fold', () => stats().takeFoldLease(nowMs, nowMs + 1)],
    ['knowledge', () => stats().readKnowledge()],
    ['knowledge that is written', () => stats().writeKnowledge(folded(knowledge), 0)],
    ['a claim', () => idempotency().claim(claim)],
    ['the renewal of one', () => idempotency().renew(claim, nowMs + 2)],
    ['an answer', () => idempotency().finish(claim, kept, nowMs)],
    ['an answer that is too large', () => idempotency().finish(claim, undefined, nowMs)],
    ['the release of a claim', () => idempotency().release(claim)],
    ['the budget of a probe', () => budget().reserve(target, { tokens: 1, dailyTokens: 9, nowMs })],
    ['what a probe cost', () => budget().settle(target, { tokens: 1, nowMs })],
    ['the pointer', () => config().readPointer()],
    ['a snapshot', () => config().readSnapshot(pointer)],
    ['the key of a caller', () => config().readKey('sha256')],
    ['the keys of the vendors', () => secrets().readVendorSecrets()],
    ['the first key', () => secrets().readFirstKey()],
  ])('is given up by %s', async (_, call) => {
    await expect(call()).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('keeps what runs behind requests from nobody for long', async () => {
    const errors: string[] = [];
    const onError = (error: unknown) => void errors.push((error as Error).name);
    const parts = { now: () => nowMs, newId: () => 'id', emit: () => {}, onError };
    const board = createBreakerBoard({ ...parts, store: breakers(longestCallMs), isConfigured: async () => true });
    const fleet = fleetTurns({ store: turns(longestCallMs), random: () => 0, onError });
    for (let i = 0; i < 3; i++) board.note({ target, sign: 'down', reason: 'timeout', startedAtMs: nowMs });
    fleet.next('keys');

    await Promise.all([board.settled(), fleet.settled()]);

    expect(new Set(errors)).toEqual(new Set(['AbortError']));
    expect(board.state(target)).toBe('open');
  });
});
