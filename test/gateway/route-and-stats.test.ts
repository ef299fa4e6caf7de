import { afterEach, describe, expect, test } from '@jest/globals';
import { recordByName } from '../../lambda/config/snapshot.ts';
import { foldScores } from '../../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../../lambda/routing/knowledge.ts';
import type { LiveStats } from '../../lambda/routing/live-stats.ts';
import { scoresOf } from '../../lambda/routing/scores-of.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import { aSample, slicesOf } from '../support/samples.ts';
import { aModel, aSnapshot } from '../support/snapshots.ts';

afterEach(closeCores);

const nowMs = 1_800_000_000_000;
const target = (provider: string) => ({ provider, model: 'm', weight: 1 });
const snapshot = aSnapshot({
  providers: recordByName(
    ['left', 'right', 'down'].map((name) => [name, { type: 'openai-compatible', baseUrl: 'http://127.0.0.1:9' }]),
  ),
  models: recordByName([
    ['one', { ...aModel('left'), strategy: 'priority', targets: ['left', 'right', 'down'].map(target) }],
    ['two', { ...aModel('right'), targets: [target('right')] }],
  ]),
});
const knowledge = foldScores(noKnowledge, slicesOf(aSample({ target: 'left/m', atMs: nowMs, waitMs: 400 })), nowMs);
const live: LiveStats = {
  scores: scoresOf(knowledge),
  breakers: { 'down/m': { openedAtMs: nowMs, openUntilMs: nowMs + 10_000, openings: 1, reason: 'timeout' } },
};
const deps = { live: async () => live, now: () => nowMs + 1_000 };
const getStats = chatRequest({}, { method: 'GET', path: '/v1/stats' });

describe('POST /v1/route', () => {
  test('tells the plan with its reasons and scores, and calls nobody', async () => {
    const { head, text, line } = await handled(snapshot, chatRequest({}, { path: '/v1/route' }), { deps });

    expect(head?.status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      object: 'route',
      model: 'one',
      strategy: 'priority',
      attempts: [
        { target: 'left/m', reason: 'place 1 of 3 as configured', score: { outcomes: { attempts: 1 } } },
        { target: 'right/m', score: null },
      ],
      leftOut: [{ target: 'down/m', reason: expect.stringContaining('timeout') }],
    });
    expect(line.attempts).toEqual([]);
    expect(text).not.toContain('canary-prompt');
  });

  test.each([
    ['POST', '/v1/route'],
    ['GET', '/v1/stats'],
    ['GET', '/v1/models'],
    ['GET', '/v1/models/one'],
  ])('is told by which configuration: %s %s', async (method, path) => {
    const { head } = await handled(snapshot, chatRequest({}, { method, path }), { deps });

    expect(head?.headers).toMatchObject({
      'x-request-id': expect.any(String),
      'x-sluice-config-version': '1',
      'server-timing': expect.stringContaining('auth'),
    });
  });

  test('answers as a chat request would when it cannot be meant, or may not be', async () => {
    const unknown = await handled(snapshot, chatRequest({ model: 'nobody' }, { path: '/v1/route' }), { deps });
    const wrong = await handled(snapshot, chatRequest({ messages: [] }, { path: '/v1/route' }), { deps });

    expect([unknown.head?.status, wrong.head?.status]).toEqual([404, 400]);
  });

  test.each([
    ['x-sluice-timeout-ms', 'soon'],
    ['x-sluice-provider-key', '0'],
    ['x-sluice-on-stream-failure', 'pray'],
    ['x-sluice-unsupported-parameters', 'maybe'],
  ])('refuses %s: %s, as a chat does', async (name, value) => {
    const headers = { 'x-api-key': 'k', [name]: value };
    const ask = (path: string) => handled(snapshot, chatRequest({ stream: true }, { path, headers }), { deps });

    const [route, chat] = [await ask('/v1/route'), await ask('/v1/chat/completions')];

    expect(route.head?.status).toBe(400);
    expect(JSON.parse(route.text).error).toMatchObject({ param: name, message: expect.stringContaining(name) });
    expect(route.text).toBe(chat.text);
  });

  test('tells what becomes of a stream that breaks off', async () => {
    const headers = { 'x-api-key': 'k', 'x-sluice-on-stream-failure': 'resume' };
    const streamed = await handled(snapshot, chatRequest({ stream: true }, { path: '/v1/route', headers }), { deps });
    const buffered = await handled(snapshot, chatRequest({}, { path: '/v1/route' }), { deps });

    expect(JSON.parse(streamed.text).onStreamFailure).toBe('resume');
    expect(JSON.parse(buffered.text)).not.toHaveProperty('onStreamFailure');
  });

  test('tells the plan of each of several models, and what is wrong with one of them', async () => {
    const body = { model: 'one,two', provider: { zdr: true } };
    const router = aSnapshot({
      ...snapshot,
      providers: recordByName([...Object.entries(snapshot.providers), ['router', { type: 'openrouter' }]]),
      models: recordByName([
        ...Object.entries(snapshot.models),
        ['two', { ...aModel('router'), targets: [target('router')] }],
      ]),
    });

    const { head, text } = await handled(router, chatRequest(body, { path: '/v1/route' }), { deps });

    expect(head?.status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      object: 'list',
      data: [
        { object: 'route', model: 'one', error: { code: 'invalid_request', param: 'provider.zdr' } },
        { object: 'route', model: 'two', attempts: [{ target: 'router/m' }] },
      ],
    });
  });

  test('tells a limited key nothing of a fallback that is not for it, and the log why it was not tried', async () => {
    const findCaller = async () => ({ label: 'limited', models: ['one'] });
    const hidden = { ...aModel('left'), targets: [{ provider: 'right', model: 'hidden', weight: 1 }] };
    const one = { ...aModel('left'), targets: [{ ...target('left'), contextTokens: 1 }], fallbacks: ['spare'] };
    const models = {
      ...snapshot,
      models: recordByName([
        ['one', one],
        ['spare', hidden],
      ]),
    };
    const limited = { deps: { ...deps, findCaller } };

    const route = await handled(models, chatRequest({}, { path: '/v1/route' }), limited);
    const chat = await handled(models, chatRequest({}), limited);

    expect(JSON.parse(route.text)).toMatchObject({ attempts: [], leftOut: [{ target: 'left/m' }] });
    expect(JSON.parse(chat.text).error.code).toBe('no_target_matches');
    for (const text of [route.text, chat.text]) expect(text).not.toMatch(/hidden|spare/);
    expect(chat.line.leftOut).toContainEqual({
      target: 'right/hidden',
      reason: 'fallback spare is not for this API key',
    });
  });
});

describe('GET /v1/stats', () => {
  test('tells scores, ages and breakers', async () => {
    const { text } = await handled(snapshot, getStats, { deps });

    expect(JSON.parse(text).data).toMatchObject([
      { target: 'down/m', ageMs: null, breaker: { reason: 'timeout' } },
      { target: 'left/m', ageMs: expect.any(Number), streamed: { small: { samples: 1 } }, breaker: null },
    ]);
  });

  test('shows a limited key the targets of its models only', async () => {
    const findCaller = async () => ({ label: 'limited', models: ['two'] });

    const { text } = await handled(snapshot, getStats, { deps: { ...deps, findCaller } });

    expect(JSON.parse(text).data).toEqual([]);
  });
});
