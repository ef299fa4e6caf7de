import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { everyHost } from '../support/every-host.ts';
import { answer, role, stream, usageChunk } from '../support/scripted-vendor.ts';
import type { RunningGateway } from '../support/serve-process.ts';
import { betweenTwoVendors, breakOff, error, messages } from '../support/two-vendors.ts';

/** A failure that shows at once is made up for at once: with a short pause, on a busy machine. */
const promptMs = 3_000;

describe.each(everyHost)('what is told and logged of failed attempts, as callers of $name see it', ({ start }) => {
  const between = betweenTwoVendors(start);
  let name: string;
  let startedMs: number;
  const tookMs = () => performance.now() - startedMs;

  beforeEach(() => {
    name = between.fresh();
    startedMs = performance.now();
  });

  test('usage after a failover is that of the target that answered, and the log has every attempt', async () => {
    between.first.always(answer(503, error('busy')));

    const { data, response } = await between.client.chat.completions.create({ model: name, messages }).withResponse();

    expect(tookMs()).toBeLessThan(promptMs);
    expect(data.usage?.total_tokens).toBe(7);
    expect(between.asked()).toEqual([1, 1]);
    expect(response.headers.get('x-sluice-attempts')).toBe('2');
    const id = response.headers.get('x-request-id') ?? 'none';
    const line = await logged(between.gateway, id);
    expect(line).toMatchObject({
      usage: { inputTokens: 5, outputTokens: 2 },
      attempts: [
        { provider: `${name}-a`, outcome: 'overloaded' },
        { provider: `${name}-b`, outcome: 'answered' },
      ],
    });
  });

  test('tokens that a vendor counted before it failed are nobody’s', async () => {
    const counted = usageChunk({ prompt_tokens: 900, completion_tokens: 90, total_tokens: 990 });
    between.first.always(stream(role, counted, breakOff));

    const params = { model: name, messages, stream: true as const, stream_options: { include_usage: true } };
    const { data, response } = await between.client.chat.completions.create(params).withResponse();
    const totals = [];
    for await (const { usage } of data) if (usage) totals.push(usage.total_tokens);

    expect(tookMs()).toBeLessThan(promptMs);
    expect(totals).toEqual([7]);
    expect(between.asked()).toEqual([2, 1]);
    const line = await logged(between.gateway, response.headers.get('x-request-id') ?? 'none');
    expect(line).toMatchObject({
      usage: { inputTokens: 5, outputTokens: 2 },
      attempts: [
        { provider: `${name}-a`, outcome: 'connection' },
        { provider: `${name}-a`, outcome: 'connection' },
        { provider: `${name}-b`, outcome: 'answered' },
      ],
    });
  });

  test('an idempotency key gets the answer again on this host too', async () => {
    const options = { headers: { 'Idempotency-Key': name } };
    const ask = () =>
      between.client.chat.completions.create({ model: `${name}-large`, messages }, options).withResponse();

    const [one, again] = [await ask(), await ask()];

    expect(tookMs()).toBeLessThan(promptMs);
    expect(again.data).toEqual(one.data);
    expect(again.response.headers.get('x-sluice-idempotent-replay')).toBe('true');
    expect(between.asked()).toEqual([0, 1]);
  });
});

/** The line of a request, which is written after the caller has its answer. */
async function logged(gateway: RunningGateway, requestId: string): Promise<unknown> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const lines = gateway.logs().split('\n');
    const line = lines.find((one) => one.includes(requestId) && one.includes('RequestCompleted'));
    if (line) return JSON.parse(line.slice(line.indexOf('{')));
    if (Date.now() > deadline) throw new Error(`No line for ${requestId}`);
    await pause(20);
  }
}
