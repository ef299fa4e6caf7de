import { afterEach, expect, test } from '@jest/globals';
import { chatRequest, closeCores, handled, snapshotOf } from '../support/core.ts';
import { geminiFixture } from '../support/dialect-fixtures/gemini.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const vendor = suiteVendor();
afterEach(closeCores);

test('callers who want an array get one from vendors of their own dialect, which send events', async () => {
  const none = { cacheReadInputTokens: 0, cacheCreationInputTokens: 0, reasoningOutputTokens: 0 };
  const usage = { inputTokens: 3, outputTokens: 4, ...none };
  const pieces = geminiFixture.stream({ text: ['zwölf ', '☃'], calls: [], finish: 'stop', usage });
  vendor.always((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(Buffer.concat(pieces));
  });
  const body = Buffer.from(JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'hi' }] }] }));
  const snapshot = snapshotOf(vendor.url, { provider: { type: 'google-ai-studio' } });

  const { text, head } = await handled(
    snapshot,
    chatRequest({}, { path: '/v1beta/models/one:streamGenerateContent', body }),
  );

  expect(head?.headers['content-type']).toMatch(/^application\/json/);
  const parts = JSON.parse(text).flatMap((one: never) => one['candidates'][0]['content']['parts'] ?? []);
  expect(parts.map((part: { text: string }) => part.text).join('')).toBe('zwölf ☃');
});
