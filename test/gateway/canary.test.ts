import { afterEach, describe, expect, test } from '@jest/globals';
import { type ModelConfig, recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import { foldScores } from '../../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../../lambda/routing/knowledge.ts';
import { emptyLiveStats, type LiveStats } from '../../lambda/routing/live-stats.ts';
import { memoryIdempotencyStore } from '../../lambda/store/memory-idempotency-store.ts';
import {
  canaries,
  canary,
  canaryHeaders,
  canaryRequests,
  canaryScripts,
  forwardedRequests,
} from '../support/canaries.ts';
import { chatRequest, closeCores, handled, snapshotOf, vendorSecret } from '../support/core.ts';
import { aSample, folded, slicesOf } from '../support/samples.ts';
import { chunk, event, role, stream } from '../support/scripted-vendor.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const callerKey = 'canary-caller-key';

const vendor = suiteVendor();
afterEach(closeCores);

/** Like `snapshotOf`, with a second target for what can be tried again, and what else a test wants of the models. */
function twoTargets(more: Partial<ModelConfig> = {}): Snapshot {
  const snapshot = snapshotOf(vendor.url);
  const targets = ['model-1', 'model-2'].map((model) => ({
    ...{ provider: 'scripted', model, weight: 1, price: { input: 1, output: 1 } },
    continuesPartial: true,
  }));
  return {
    ...snapshot,
    models: recordByName(['one', 'two'].map((name) => [name, { ...snapshot.models['one']!, targets, ...more }])),
  };
}

const cases = [false, true].flatMap((streamed) =>
  canaryRequests(streamed).flatMap((request) =>
    Object.entries(canaryScripts(streamed, vendorSecret)).map(
      ([what, script]) => [request.path, streamed ? 'streamed' : 'buffered', what, { request, script }] as const,
    ),
  ),
);

describe('log and headers hold nothing of what is said or secret', () => {
  test.each(cases)('%s, %s, when the vendor sends %s', async (_path, _form, what, { request, script }) => {
    vendor.seen.length = 0;
    vendor.always(script);
    const { path, query = '', body } = request;
    const headers = { ...canaryHeaders, authorization: `Bearer ${callerKey}` };

    const { head, text, log } = await handled(
      twoTargets(),
      chatRequest({}, { path, query, headers, body: Buffer.from(JSON.stringify(body)) }),
    );

    expect(vendor.seen[0]?.text).toContain(canaries.prompt);
    if (what === 'success') expect(text).toContain(canaries.answer);
    expect(log).toContain('RequestCompleted');
    expect(log).not.toContain(canary);
    expect(JSON.stringify(head)).not.toContain(canary);
    for (const secret of [vendorSecret, callerKey]) expect(text).not.toContain(secret);
  });

  const forwarded = forwardedRequests.flatMap((request) =>
    Object.entries(canaryScripts(false, vendorSecret)).map(
      ([what, script]) => [request.path, what, { request, script }] as const,
    ),
  );
  test.each(forwarded)('%s, when the vendor sends %s', async (_path, _what, { request: { path, body }, script }) => {
    vendor.always(script);
    const headers = { ...canaryHeaders, authorization: `Bearer ${callerKey}`, 'content-type': 'application/json' };

    const { text, log } = await handled(
      twoTargets(),
      chatRequest({}, { path, headers, body: Buffer.from(JSON.stringify(body)) }),
    );

    expect(log).toContain('RequestCompleted');
    expect(log).not.toContain(canary);
    for (const secret of [vendorSecret, callerKey]) expect(text).not.toContain(secret);
  });

  test.each(['/v1/images/generations', '/scripted/v1/anything'])(
    '%s, when the vendor quotes the key in the middle of a stream',
    async (path) => {
      vendor.always(stream(event({ data: 'begun' }), event({ error: { message: `${vendorSecret} died` } })));
      const body = Buffer.from(JSON.stringify({ model: 'one', prompt: canaries.prompt, stream: true }));

      const headers = { ...canaryHeaders, authorization: `Bearer ${callerKey}` };

      const { text, log } = await handled(twoTargets(), chatRequest({}, { path, body, headers }));

      expect(text).toBe(`${event({ data: 'begun' })}${event({ error: { message: '*** died' } })}`);
      expect(log).not.toContain(canary);
    },
  );

  test.each([
    ['no JSON', '{"model": "one", "messages": "canary-prompt'],
    ['another type', JSON.stringify({ model: 'one', messages: 'canary-prompt' })],
    ['no messages', JSON.stringify({ model: 'one', input: 'canary-prompt' })],
  ])('nor of a body that is %s, with the key in the query', async (_, body) => {
    const request = { query: `key=${callerKey}`, headers: canaryHeaders, body: Buffer.from(body) };

    const { head, text, log } = await handled(twoTargets(), chatRequest({}, request));

    expect(head?.status).toBe(400);
    expect(log + text + JSON.stringify(head)).not.toContain(canary);
  });

  test('nor a key that lets nobody in', async () => {
    const deps = { findCaller: async () => undefined };
    const request = chatRequest({}, { headers: { ...canaryHeaders, authorization: `Bearer ${callerKey}` } });

    const { head, text, log } = await handled(twoTargets(), request, { deps });

    expect(head?.status).toBe(401);
    expect(log + text + JSON.stringify(head)).not.toContain(canary);
  });
});

const [inConversation] = canaryRequests(true);
const answers = Object.entries(canaryScripts(true, vendorSecret));

/** The first request of the canaries, streamed, with these headers besides. */
function conversation(headers: Record<string, string> = {}) {
  const all = { ...canaryHeaders, authorization: `Bearer ${callerKey}`, ...headers };
  return chatRequest({}, { headers: all, body: Buffer.from(JSON.stringify(inConversation?.body)) });
}

/** The second target is known to be quick, so that it is worth to be started besides. */
function quickAnswers(): LiveStats {
  const atMs = Date.now();
  const sample = aSample({ target: 'scripted/model-2', atMs, waitMs: 2 });
  const { scores } = folded(foldScores(noKnowledge, slicesOf(...Array.from({ length: 40 }, () => sample)), atMs));
  return { ...emptyLiveStats, scores };
}

function expectNothingIn({ head, text, log }: Awaited<ReturnType<typeof handled>>): void {
  expect(log).toContain('RequestCompleted');
  expect(log).not.toContain(canary);
  expect(JSON.stringify(head)).not.toContain(canary);
  for (const secret of [vendorSecret, callerKey]) expect(text).not.toContain(secret);
}

describe('nor does what is done about failures bring any of it to light', () => {
  test.each(answers)('when a silent target is helped out by one that sends %s', async (_, script) => {
    vendor.seen.length = 0;
    vendor.always(script);
    vendor.next(async (request, response) => {
      await vendor.sawRequests(2);
      await script(request, response);
    });
    const hedged = twoTargets({ hedge: { afterMs: 20, maxShare: 1 } });

    const handledOne = await handled(hedged, conversation(), { deps: { live: async () => quickAnswers() } });

    expect(handledOne.log).toContain('"hedge":true');
    expectNothingIn(handledOne);
  });

  test.each(answers)('when a broken answer is gone on with by a target that sends %s', async (_, script) => {
    vendor.seen.length = 0;
    vendor.always(script);
    vendor.next(stream(role, chunk({ content: canaries.answer })));

    const handledOne = await handled(twoTargets(), conversation({ 'x-sluice-on-stream-failure': 'resume' }));

    expect(vendor.seen[1]?.text).toContain(canaries.answer);
    expect(handledOne.log).toContain('"brokeOff":');
    expectNothingIn(handledOne);
  });

  test.each(answers)('when an idempotency key is used twice, and the vendor sends %s', async (what, script) => {
    vendor.always(script);
    const deps = { idempotency: memoryIdempotencyStore() };
    const headers = { 'idempotency-key': canaries.idempotencyKey };

    const first = await handled(twoTargets(), conversation(headers), { deps });
    const second = await handled(twoTargets(), conversation(headers), { deps });

    if (what === 'success') expect(second.log).toContain('"replayOf":');
    expectNothingIn(first);
    expectNothingIn(second);
  });

  test.each(answers)(
    'when rules look at metadata and attempts are listed, and the vendor sends %s',
    async (_, script) => {
      vendor.always(script);
      const when = { metadata: { team: { startsWith: canary } }, headers: { 'x-anything': canaries.header } };
      const use = { strategy: 'weighted' as const };
      const ruled = twoTargets({
        rules: [{ name: 'by team', when, split: [{ percent: 100, use }], by: 'metadata.team' }],
      });

      const handledOne = await handled(ruled, conversation({ 'x-sluice-metadata': 'enabled' }));

      expect(handledOne.log).toContain('by team');
      expectNothingIn(handledOne);
    },
  );

  test('when the plan is asked for', async () => {
    const request = { ...conversation(), path: '/v1/route' };

    const { text, log, head } = await handled(twoTargets({ affinity: 'session' }), request);

    expect(head?.status).toBe(200);
    expect(JSON.parse(text).attempts).toHaveLength(2);
    expect(text + log + JSON.stringify(head)).not.toContain(canary);
  });
});
