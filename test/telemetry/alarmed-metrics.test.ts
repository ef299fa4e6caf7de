import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { GatewayDeps } from '../../lambda/gateway/gateway-deps.ts';
import { metricDefinitions } from '../../lambda/telemetry/metric-names.ts';
import { chatRequest, closeCores, handled, snapshotOf } from '../support/core.ts';
import { emittedMetrics } from '../support/emitted-metrics.ts';
import {
  answer,
  chunk,
  done,
  role,
  type Script,
  type ScriptedVendor,
  startScriptedVendor,
  stream,
  usageChunk,
} from '../support/scripted-vendor.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startScriptedVendor();
});
afterEach(closeCores);
afterAll(() => vendor.close());

/** What the gateway emits, by the name of the metric, when the vendor answers so. */
async function emitted(script: Script, deps: Partial<GatewayDeps> = {}) {
  vendor.always(script);
  const { log } = await handled(snapshotOf(vendor.url), chatRequest({ stream: true }), { deps });
  const metrics = log.split('\n').flatMap(emittedMetrics);
  return (metric: keyof typeof metricDefinitions) =>
    metrics.filter(({ name }) => name === metricDefinitions[metric].name).map(({ name: _, ...rest }) => rest);
}

const whole = stream(role, chunk({ content: 'hi' }), chunk({}, 'stop'), usageChunk(), done);
const ofTarget = { provider: 'scripted', model: 'model-1' };

test('what the alarm on providers asks for comes from every attempt, with the provider as a dimension', async () => {
  expect((await emitted(whole))('attemptFailures')).toEqual([{ value: 0, dimensions: ofTarget }]);
  const failed = (await emitted(answer(503, { error: { message: 'busy' } })))('attemptFailures');
  expect(failed[0]).toEqual({ value: 1, dimensions: ofTarget });
});

test('what the alarm on first content asks for comes from every streamed answer, without a dimension', async () => {
  expect((await emitted(whole))('firstTokenSeconds')).toEqual([{ value: expect.any(Number), dimensions: {} }]);
});

test('what the alarm on the gateway asks for comes from a mistake of its own, and from no other failure', async () => {
  const broken = { findCaller: async () => Promise.reject(new TypeError('a bug')) };

  expect((await emitted(whole, broken))('gatewayErrors')).toEqual([{ value: 1, dimensions: {} }]);
  expect((await emitted(whole))('gatewayErrors')).toEqual([]);
  expect((await emitted(answer(503, { error: { message: 'busy' } })))('gatewayErrors')).toEqual([]);
});
