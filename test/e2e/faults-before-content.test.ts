import { beforeEach, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { everyHost } from '../support/every-host.ts';
import {
  answer,
  chunk,
  completion,
  done,
  role,
  type Script,
  silence,
  stream,
  usageChunk,
} from '../support/scripted-vendor.ts';
import { betweenTwoVendors, breakOff, error, limits, saying } from '../support/two-vendors.ts';

const reset: Script = (_, response) => breakOff(response);
/** What a fault adds where nothing is waited for, on a machine that does other things too. */
const soonMs = 3_000;
const fromSecond = { text: 'from b', finish: 'stop', error: undefined };

describe.each(everyHost)('what vendors do before the first content, as callers of $name see it', ({ start }) => {
  const between = betweenTwoVendors(start);
  let name: string;

  beforeEach(() => {
    name = between.fresh();
  });

  describe.each([false, true])('before the first content (streamed: %s)', (streamed) => {
    test.each<[string, Script, number[], number]>([
      ['429 without Retry-After', answer(429, error('slow down')), [1, 1], soonMs],
      ['429 with Retry-After', answer(429, error('slow down'), { 'retry-after': '30' }), [1, 1], soonMs],
      ['503 for ever', answer(503, error('busy')), [1, 1], soonMs],
      ['500 for ever', answer(500, error('oops')), [2, 1], soonMs],
      ['resets before headers', reset, [2, 1], soonMs],
      ['silence', silence, [1, 1], 4_000],
    ])('%s is not seen: the next target answers', async (_, script, tries, mostMs) => {
      between.first.always(script);

      const seen = await between.seen(name, streamed);

      expect(seen).toMatchObject({ ...fromSecond, provider: `${name}-b` });
      // What is reset on a connection that was kept open is sent once more: it may just have been closed by chance.
      const sentAgain = script === reset ? between.first.seen.length - (tries[0] ?? 0) : 0;
      expect([0, 1]).toContain(sentAgain);
      expect(between.asked()).toEqual([(tries[0] ?? 0) + sentAgain, tries[1]]);
      expect(seen.tookMs).toBeLessThan(mostMs);
      if (script === silence) expect(seen.tookMs).toBeGreaterThanOrEqual(limits.answerMs - 10);
    });

    test('503 for ever of all targets is told in the end, after one more try of one of them', async () => {
      between.first.always(answer(503, error('busy')));
      between.second.always(answer(503, error('busy')));

      const { error: told, tookMs } = await between.seen(name, streamed);

      expect(told).toBeInstanceOf(OpenAI.InternalServerError);
      expect(told).toMatchObject({ status: 503, code: 'provider_overloaded' });
      expect(between.asked().toSorted()).toEqual([1, 2]);
      expect(tookMs).toBeLessThan(6_000);
    });

    test('500 once is not seen: the same target answers', async () => {
      between.first.always(saying('from a'));
      between.first.next(answer(500, error('oops')));

      const seen = await between.seen(name, streamed);

      expect(seen).toMatchObject({
        text: 'from a',
        finish: 'stop',
        error: undefined,
        provider: `${name}-a`,
        attempts: 2,
      });
      expect(between.asked()).toEqual([2, 0]);
      expect(seen.tookMs).toBeGreaterThanOrEqual(100);
      expect(seen.tookMs).toBeLessThan(soonMs);
    });

    test('429 with Retry-After of the only target is waited for when that is short', async () => {
      between.first.always(saying('from a'));
      between.first.next(answer(429, error('slow down'), { 'retry-after': '1' }));

      const seen = await between.seen(`${name}-alone`, streamed);

      expect(seen).toMatchObject({ text: 'from a', finish: 'stop', error: undefined });
      expect(between.asked()).toEqual([2, 0]);
      expect(seen.tookMs).toBeGreaterThanOrEqual(1_000);
      expect(seen.tookMs).toBeLessThan(5_000);
    });

    test('429 with Retry-After of the only target is told when that is long', async () => {
      between.first.always(answer(429, error('slow down'), { 'retry-after': '60' }));

      const { error: told, tookMs } = await between.seen(`${name}-alone`, streamed);

      expect(told).toBeInstanceOf(OpenAI.RateLimitError);
      expect(told).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
      expect(Number(told?.headers?.get('retry-after'))).toBeGreaterThan(50);
      expect(told?.headers?.get('x-sluice-provider')).toBe(`${name}-a`);
      expect(between.asked()).toEqual([1, 0]);
      expect(tookMs).toBeLessThan(soonMs);
    });

    test('silence of the only target ends in its time', async () => {
      between.first.always(silence);

      const { error: told, tookMs } = await between.seen(`${name}-alone`, streamed);

      expect(told).toBeInstanceOf(OpenAI.InternalServerError);
      expect(told).toMatchObject({ status: 504, code: 'provider_timeout' });
      expect(between.asked()).toEqual([1, 0]);
      expect(tookMs).toBeGreaterThanOrEqual(limits.answerMs - 10);
      expect(tookMs).toBeLessThan(4_000);
    });

    test('a request that is too long goes to the fallback model, never to the same model elsewhere', async () => {
      between.first.always(answer(400, error('too long', { code: 'context_length_exceeded' })));

      const elsewhere = await between.seen(name, streamed);
      expect(elsewhere.error).toBeInstanceOf(OpenAI.BadRequestError);
      expect(elsewhere.error).toMatchObject({ status: 400, code: 'context_length_exceeded' });
      expect(between.asked()).toEqual([1, 0]);
      expect(elsewhere.tookMs).toBeLessThan(soonMs);

      const larger = await between.seen(`${name}-larger`, streamed);
      expect(larger).toMatchObject(fromSecond);
      expect(between.asked()).toEqual([2, 1]);
      expect(larger.tookMs).toBeLessThan(soonMs);
    });

    test('an answer that was filtered is the answer, and nobody else is asked', async () => {
      const choices = [{ index: 0, message: { role: 'assistant', content: null }, finish_reason: 'content_filter' }];
      between.first.always(
        streamed
          ? stream(role, chunk({}, 'content_filter'), usageChunk(), done)
          : answer(200, completion('', { choices })),
      );

      const seen = await between.seen(name, streamed);

      expect(seen).toMatchObject({ text: '', finish: 'content_filter', error: undefined });
      expect(between.asked()).toEqual([1, 0]);
      expect(seen.tookMs).toBeLessThan(soonMs);
    });

    test('an error inside an answer of status 200 is not seen: the next target answers', async () => {
      between.first.always(answer(200, error('busy', { code: 503 })));

      const seen = await between.seen(name, streamed);

      expect(seen).toMatchObject(fromSecond);
      expect(between.asked()).toEqual([1, 1]);
      expect(seen.tookMs).toBeLessThan(soonMs);
    });

    test('a verdict on the content is passed on, and nobody else is asked', async () => {
      between.first.always(answer(400, error('no', { code: 'content_filter', type: 'invalid_request_error' })));

      const { error: told, tookMs } = await between.seen(name, streamed);

      expect(told).toBeInstanceOf(OpenAI.BadRequestError);
      expect(told).toMatchObject({ status: 400, code: 'content_filter' });
      expect(between.asked()).toEqual([1, 0]);
      expect(tookMs).toBeLessThan(soonMs);
    });
  });
});
