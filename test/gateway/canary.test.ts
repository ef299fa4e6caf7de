import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import {
  canaries,
  canary,
  canaryHeaders,
  canaryRequests,
  canaryScripts,
  forwardedRequests,
} from '../support/canaries.ts';
import { chatRequest, closeCores, handled, snapshotOf, vendorSecret } from '../support/core.ts';
import { type ScriptedVendor, startScriptedVendor } from '../support/scripted-vendor.ts';

const callerKey = 'canary-caller-key';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startScriptedVendor();
});
afterEach(closeCores);
afterAll(() => vendor.close());

/** Like `snapshotOf`, with a second target for what can be tried again. */
function twoTargets(): Snapshot {
  const snapshot = snapshotOf(vendor.url);
  const targets = ['model-1', 'model-2'].map((model) => ({ provider: 'scripted', model, weight: 1 }));
  return {
    ...snapshot,
    models: recordByName(['one', 'two'].map((name) => [name, { ...snapshot.models['one']!, targets }])),
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
    expect(text).not.toContain(callerKey);
  });

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
