import { setTimeout as pause } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { everyHost } from '../support/every-host.ts';
import { answer, chunk, done, event, role, type Script, stream } from '../support/scripted-vendor.ts';
import { betweenTwoVendors, breakOff, error, limits, never } from '../support/two-vendors.ts';

const resume = { 'x-sluice-on-stream-failure': 'resume' };

describe.each(everyHost)('what vendors do in a stream, as callers of $name see it', ({ start }) => {
  const between = betweenTwoVendors(start);
  let name: string;

  beforeEach(() => {
    name = between.fresh();
  });

  describe('in a stream that has brought nothing yet', () => {
    test.each<[string, Script, number]>([
      ['pings and roles, but a late first token', stream(role, ': ping\n\n', never), 1],
      ['an error inside an answer of status 200', stream(role, event(error('busy', { code: 503 }))), 1],
      ['an end without content', stream(role, done), 1],
      ['an event that is no JSON', stream(role, 'data: {"choices":[{"delta":{"con\n\n', chunk({ content: 'x' })), 1],
      ['a break behind the role', stream(role, breakOff), 2],
    ])('%s is not seen: the next target answers', async (_, script, tries) => {
      between.first.always(script);

      const seen = await between.seen(name, true);

      expect(seen).toMatchObject({ text: 'from b', finish: 'stop', error: undefined, provider: `${name}-b` });
      expect(between.asked()).toEqual([tries, 1]);
      expect(seen.tookMs).toBeLessThan(4_000);
    });
  });

  test('a first token that comes late, but within the limit, is waited for', async () => {
    const later = () => pause(limits.firstContentMs / 2);
    between.first.always(stream(role, ': ping\n\n', later, chunk({ content: 'late' }), chunk({}, 'stop'), done));

    const seen = await between.seen(name, true);

    expect(seen).toMatchObject({ text: 'late', finish: 'stop', error: undefined });
    expect(between.asked()).toEqual([1, 0]);
    expect(seen.tookMs).toBeGreaterThanOrEqual(limits.firstContentMs / 2 - 10);
    expect(seen.tookMs).toBeLessThan(3_000);
  });

  test.each<[string, Parameters<typeof stream>[0], string]>([
    ['a cut', breakOff, 'provider_failed'],
    ['an end without finish and marker', () => {}, 'provider_failed'],
    ['a stall', never, 'provider_timeout'],
    ['an error event', event(error('died', { code: 500 })), 'provider_failed'],
    ['an event that is no JSON', 'data: {"choices":[{"delta":{"con\n\n', 'provider_failed'],
  ])('%s is an explicit error, never a false stop', async (_, end, code) => {
    between.first.always(stream(role, chunk({ content: 'half' }), end));

    const { text, finish, error: told, tookMs } = await between.seen(name, true);

    expect({ text, finish }).toEqual({ text: 'half', finish: undefined });
    expect(told).toMatchObject({ code });
    expect(between.asked()).toEqual([1, 0]);
    expect(tookMs).toBeGreaterThanOrEqual(end === never ? limits.idleMs - 10 : 0);
    expect(tookMs).toBeLessThan(4_000);
  });

  test('a missing end marker behind the finish is nothing', async () => {
    between.first.always(stream(role, chunk({ content: 'whole' }), chunk({}, 'stop')));

    const seen = await between.seen(name, true);

    expect(seen).toMatchObject({ text: 'whole', finish: 'stop', error: undefined });
    expect(between.asked()).toEqual([1, 0]);
    expect(seen.tookMs).toBeLessThan(3_000);
  });

  test('a cut is not seen by a caller who wants the stream resumed, when the next answer is a sequel', async () => {
    between.first.always(stream(role, chunk({ content: 'fro' }), breakOff));

    const seen = await between.seen(name, true, resume);

    expect(seen).toMatchObject({ text: 'from b', finish: 'stop', error: undefined });
    expect(between.asked()).toEqual([1, 1]);
    expect(seen.tookMs).toBeLessThan(3_000);
  });

  test('a cut ends in the error of the cut when no answer of another target is a sequel', async () => {
    between.first.always(answer(400, error('nothing more')));
    between.first.next(stream(role, chunk({ content: 'half' }), breakOff));

    const { text, finish, error: told, tookMs } = await between.seen(name, true, resume);

    expect({ text, finish }).toEqual({ text: 'half', finish: undefined });
    expect(told).toMatchObject({ code: 'provider_failed' });
    expect(between.asked()).toEqual([2, 1]);
    expect(tookMs).toBeLessThan(4_000);
  });

  test('a cut ends in the error of the cut when the fallback refuses partial answers', async () => {
    between.first.always(answer(400, error('nothing more')));
    between.first.next(stream(role, chunk({ content: 'half' }), breakOff));
    between.second.always(answer(400, error('the last message must be of the user')));

    const { text, finish, error: told, tookMs } = await between.seen(`${name}-partial`, true, resume);

    expect({ text, finish }).toEqual({ text: 'half', finish: undefined });
    expect(told).toMatchObject({ code: 'provider_failed' });
    expect(told?.message).not.toContain('the last message');
    const shown = between.second.seen.map(({ body }) => (body['messages'] as { role: string }[]).at(-1)?.role);
    expect(shown[0]).toBe('assistant');
    expect(between.second.seen.length).toBeLessThanOrEqual(2);
    expect(tookMs).toBeLessThan(4_000);
  });
});
