import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Sign } from '../../../lambda/gateway/attempts/breaker-board.ts';
import type { AttemptSample } from '../../../lambda/routing/attempt-sample.ts';
import { chatRequest, closeCores, closedBreakers, collectingSink, handled, snapshotOf } from '../../support/core.ts';
import { answer, chunk, done, role, silence, stream, usageChunk } from '../../support/scripted-vendor.ts';
import { suiteVendor } from '../../support/suite-vendor.ts';

const vendor = suiteVendor();

afterEach(closeCores);

/** Asks the vendor, with a clock that only the vendor's script moves. */
async function asked(
  { stream: streamed = true, ...fields }: Record<string, unknown> = {},
  {
    request = {} as Parameters<typeof chatRequest>[1],
    timeouts = {},
    sink = collectingSink(),
    clock = { nowMs: 1_000_000 },
  } = {},
) {
  const samples: AttemptSample[] = [];
  const signs: Sign[] = [];
  const breakers = { ...closedBreakers(), note: (sign: Sign) => void signs.push(sign) };
  const measure = (sample: AttemptSample) => void samples.push(sample);
  const deps = { now: () => clock.nowMs, measure, breakers };
  const own = { receivedAtMs: clock.nowMs, deadlineMs: clock.nowMs + 20_000, ...request };
  const result = await handled(
    snapshotOf(vendor.url, { timeouts }),
    chatRequest({ stream: streamed, ...fields }, own),
    { deps, sink },
  );
  return { ...result, samples, signs };
}

describe('what a streamed attempt shows', () => {
  test('is known at its end: the wait, the tokens as the vendor counted them, and the time they took', async () => {
    const clock = { nowMs: 1_000_000 };
    const answering =
      chunk({}, 'stop') + usageChunk({ prompt_tokens: 5, completion_tokens: 40, total_tokens: 45 }) + done;
    vendor.always(
      stream(
        () => {
          clock.nowMs += 700;
        },
        role + chunk({ content: 'a' }) + answering,
      ),
    );
    const sink = collectingSink();
    const { write } = sink;
    sink.write = (bytes) => {
      clock.nowMs += 400;
      return write(bytes);
    };

    const { samples, line } = await asked({ stream_options: { include_usage: true } }, { clock, sink });

    const common = { target: 'scripted/model-1', streamed: true, promptSize: 'small', retry: false };
    expect(samples).toEqual([
      { ...common, atMs: 1_001_100, outcome: 'answered', waitMs: 700, outputTokens: 40, generationMs: 400 },
    ]);
    expect(line.attempts).toMatchObject([{ outcome: 'answered', durationMs: 700 }]);
  });

  test('is a failure when the stream is cut, though it began well', async () => {
    vendor.always(stream(role + chunk({ content: 'a' }), (response) => void response.destroy()));

    const { samples, line, text } = await asked();

    expect(text).toContain('"error"');
    expect(samples).toMatchObject([{ outcome: 'connection', waitMs: 0 }]);
    expect(line.attempts).toMatchObject([{ outcome: 'answered', brokeOff: 'connection' }]);
  });

  test('is a timeout without a wait when the stream falls silent', async () => {
    vendor.always(stream(role + chunk({ content: 'a' }), () => new Promise(() => {})));

    const { samples } = await asked({}, { timeouts: { idleMs: 30 } });

    expect(samples).toMatchObject([{ outcome: 'timeout' }]);
    expect(samples[0]).not.toHaveProperty('waitMs');
  });

  test('is no failure when the time of the request is over while the vendor still sends', async () => {
    const clock = { nowMs: 1_000_000 };
    vendor.always(
      stream(role + chunk({ content: 'a' }), async (response) => {
        while (!response.destroyed) {
          await pause(10);
          clock.nowMs += 20;
          response.write(chunk({ content: 'b' }));
        }
      }),
    );
    const headers = { 'x-api-key': 'k', 'x-sluice-timeout-ms': '60' };

    const { samples, signs, line, text } = await asked({}, { clock, request: { headers } });

    expect(text).toContain('"provider_timeout"');
    expect(line.attempts).toMatchObject([{ outcome: 'answered', brokeOff: 'timeout' }]);
    expect(samples).toMatchObject([{ outcome: 'cancelled' }]);
    expect(signs).toMatchObject([{ sign: 'neither' }]);
  });

  test('is no pace of the vendor when its caller reads slowly', async () => {
    const clock = { nowMs: 1_000_000 };
    vendor.always(stream(role + chunk({ content: 'a' }), chunk({}, 'stop') + usageChunk() + done));
    const sink = collectingSink();
    const { write } = sink;
    sink.write = (bytes) => {
      void write(bytes);
      return Promise.resolve().then(() => {
        clock.nowMs += 5_000;
      });
    };

    const { samples } = await asked({}, { clock, sink });

    expect(samples).toMatchObject([{ outcome: 'answered', outputTokens: 2 }]);
    expect(samples[0]).not.toHaveProperty('generationMs');
  });

  test('is neither success nor failure when the caller leaves, but the wait was at least so long', async () => {
    const caller = new AbortController();
    const clock = { nowMs: 1_000_000 };
    vendor.always(() => {
      clock.nowMs += 900;
      caller.abort();
    });

    const { samples } = await asked({}, { clock, request: { signal: caller.signal } });

    expect(samples).toMatchObject([{ outcome: 'cancelled', waitMs: 900 }]);
  });
});

describe('a silent target', () => {
  test.each([true, false])('that had its time has failed (streamed: %s)', async (streamed) => {
    const clock = { nowMs: 1_000_000 };
    vendor.always(() => {
      clock.nowMs += 40;
    });

    const { samples, head } = await asked(
      { stream: streamed },
      { clock, timeouts: { firstContentMs: 40, answerMs: 40 } },
    );

    expect(head?.status).toBe(504);
    expect(samples).toMatchObject([{ outcome: 'timeout', waitMs: 40 }]);
  });

  test.each([true, false])('is not blamed for a caller in a hurry (streamed: %s)', async (streamed) => {
    const clock = { nowMs: 1_000_000 };
    vendor.always(() => {
      clock.nowMs += 40;
    });

    const { samples, head, line } = await asked(
      { stream: streamed },
      { clock, request: { headers: { 'x-api-key': 'k', 'x-sluice-timeout-ms': '40' } } },
    );

    expect(head?.status).toBe(504);
    expect(line.attempts).toMatchObject([{ outcome: 'timeout' }]);
    expect(samples).toMatchObject([{ outcome: 'cancelled', waitMs: 40 }]);
  });

  test('leaves a buffered request time for the next target', async () => {
    const startedMs = performance.now();
    vendor.next(silence);
    vendor.always(silence);
    const snapshot = snapshotOf(vendor.url);
    snapshot.models['one']?.targets.push({ provider: 'scripted', model: 'model-2', weight: 1 });

    const { line } = await handled(
      snapshot,
      chatRequest({}, { headers: { 'x-api-key': 'k', 'x-sluice-timeout-ms': '600' } }),
    );

    const [first, second] = line.attempts;
    expect([first.model, second.model]).toEqual(['model-1', 'model-2']);
    expect(first.durationMs).toBeLessThan(450);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('an endpoint that is not there', () => {
  const notFound = answer(404, { error: { message: 'No such path' } });

  test('says nothing of a model that is asked for something else', async () => {
    vendor.always(notFound);

    const { head, samples, signs } = await asked({ input: 'a' }, { request: { path: '/v1/embeddings' } });

    expect(head?.status).toBe(404);
    expect(vendor.seen).toHaveLength(1);
    expect([samples, signs]).toEqual([[], []]);
  });

  test('is a failure of the target where a conversation was asked for', async () => {
    vendor.always(notFound);

    const { samples, signs } = await asked();

    expect(samples).toMatchObject([{ outcome: 'not_found' }]);
    expect(signs).toMatchObject([{ sign: 'down', reason: 'not_found' }]);
  });
});
