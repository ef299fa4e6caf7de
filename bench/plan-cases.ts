import type { ModelConfig, ModelRule, ModelTarget, Snapshot } from '../lambda/config/snapshot.ts';
import { recordByName } from '../lambda/config/snapshot.ts';
import { openAiChatClient } from '../lambda/dialects/openai-chat/openai-chat.ts';
import { chatOperation } from '../lambda/gateway/attempts/vendor-request.ts';
import { readClientCall } from '../lambda/gateway/caller/client-call.ts';
import { type RoutingWish, routingWish } from '../lambda/gateway/caller/routing-facts.ts';
import type { GatewayRequest } from '../lambda/gateway/exchange.ts';
import { planRequest } from '../lambda/gateway/plan-request.ts';
import type { AttemptSample } from '../lambda/routing/attempt-sample.ts';
import { foldScores } from '../lambda/routing/fold-scores.ts';
import { noKnowledge } from '../lambda/routing/knowledge.ts';
import type { LiveStats } from '../lambda/routing/live-stats.ts';
import { type OwnWait, rememberWait } from '../lambda/routing/own-waits.ts';
import type { Plan } from '../lambda/routing/plan.ts';
import { createSampleBuffer } from '../lambda/routing/sample-slice.ts';
import { scoresOf } from '../lambda/routing/scores-of.ts';

/** A model and a request that wants more of planning than the usual one. */
export type PlanCase = { name: string; model?: Partial<ModelConfig>; body?: object; session?: string };

export const targetCount = 10;
const nowMs = 1_800_000_000_000;
const asked = 'model-0';
const targetNumbers = Array.from({ length: targetCount }, (_, i) => i);

const rules: ModelRule[] = [
  { name: 'eu', when: { metadata: { region: 'eu' } }, use: { fallbacks: [] } },
  { name: 'batch', when: { headers: { 'x-batch': { exists: true } }, stream: false }, use: { strategy: 'cost' } },
  { name: 'long', when: { inputTokens: { min: 50_000 } }, use: { strategy: 'throughput' } },
  { name: 'team', when: { key: { startsWith: 'checkout' } }, split: [{ percent: 10, use: { strategy: 'cost' } }] },
];

/** The usual request first; the others add one thing each, the last one everything. */
export const planCases: readonly PlanCase[] = [
  { name: 'the usual request' },
  { name: 'hedging on', model: { hedge: {} } },
  { name: 'four rules, one splits', model: { rules } },
  { name: 'no affinity', model: { affinity: 'none' } },
  { name: 'affinity by session', model: { affinity: 'session' }, session: 'session-1' },
  { name: 'tools and pictures needed', body: wanting() },
  { name: 'provider preferences', body: { provider: preferences() } },
  {
    name: 'all of these',
    model: { hedge: {}, rules, affinity: 'session' },
    session: 'session-1',
    body: { ...wanting(), provider: preferences() },
  },
];

function wanting(): object {
  const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } };
  return {
    tools: [{ type: 'function', function: { name: 'search', parameters: { type: 'object' } } }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'What is this?' }, image] }],
  };
}

function preferences(): object {
  return {
    order: ['p3', 'p1'],
    ignore: ['p9'],
    max_price: { prompt: 50, completion: 100 },
    preferred_max_latency: { p90: 5 },
  };
}

/** As the compiler makes it: what is known of every target is in it. */
function targetOf(provider: number, model: string): ModelTarget {
  return {
    provider: `p${provider}`,
    model,
    weight: 1,
    price: { input: 1 + provider, output: 4 + provider },
    contextTokens: 128_000,
    capabilities: { tools: true, vision: true, audio: provider % 2 === 0, files: true, jsonSchema: true },
  };
}

function snapshotOf(models: number, more: Partial<ModelConfig>): Snapshot {
  const model = (name: string): ModelConfig => ({
    targets: targetNumbers.map((provider) => targetOf(provider, name)),
    strategy: 'latency',
    fallbacks: [],
    timeouts: {},
    ...more,
  });
  const names = Array.from({ length: models }, (_, i) => `model-${i}`);
  const provider = (name: string) => ({ type: 'openai-compatible', baseUrl: `https://${name}.example/v1` });
  return {
    version: 1,
    compiledAt: '2026-01-01T00:00:00.000Z',
    providers: recordByName(targetNumbers.map((i) => [`p${i}`, provider(`p${i}`)])),
    models: recordByName(names.map((name) => [name, model(name)])),
    settings: {},
  };
}

/** What the fleet has measured of every target, and this gateway itself a moment ago; one of them is down. */
function liveStats(): LiveStats {
  const buffer = createSampleBuffer();
  const own = new Map<string, readonly OwnWait[]>();
  for (const i of targetNumbers)
    for (let n = 0; n < 50; n++) {
      const sample: AttemptSample = {
        target: `p${i}/${asked}`,
        atMs: nowMs - 50 + n,
        streamed: true,
        promptSize: 'small',
        outcome: 'answered',
        retry: false,
        waitMs: 300 + 60 * i + n,
      };
      buffer.add(sample);
      rememberWait(own, sample);
    }
  const down = { openedAtMs: nowMs, openUntilMs: nowMs + 30_000, openings: 1, reason: 'server_error' as const };
  return {
    scores: scoresOf(foldScores(noKnowledge, buffer.take(), nowMs)),
    breakers: { [`p9/${asked}`]: down },
    own,
  };
}

/** What a request wants of planning, and the two steps from it to a plan. */
export type Planner = {
  /** Reads from the request what matters for choosing a target. */
  read(): RoutingWish;
  /** Finds what the model's name stands for and plans: rules, preferences, capabilities, scores, breakers, limits. */
  plan(wish: RoutingWish, entropy: number): Plan;
};

/** The gateway's own steps, on a configuration of so many models. */
export function planner({ model = {}, body = {}, session }: PlanCase, models = 1): Planner {
  const snapshot = snapshotOf(models, model);
  const live = liveStats();
  const caller = { label: 'checkout-team', models: ['model-*'] };
  const messages = [
    { role: 'system', content: 'You answer in one sentence.' },
    { role: 'user', content: 'Say some words. '.repeat(100) },
  ];
  const text = JSON.stringify({ model: asked, stream: true, messages, metadata: { team: 'checkout' }, ...body });
  const operation = chatOperation(readClientCall(openAiChatClient, text, {}));
  const headers = { 'content-type': 'application/json', ...(session && { 'x-session-id': session }) };
  const request = { headers, body: Buffer.from(text) } as unknown as GatewayRequest;
  const exchange = { request, caller, snapshot };
  return {
    read: () => routingWish(operation, exchange),
    plan(wish, entropy) {
      const deps = { now: () => nowMs + 1_000, random: () => entropy };
      return planRequest({ name: operation.model, wish, live, turn: () => 0 }, exchange, deps).plan;
    },
  };
}
