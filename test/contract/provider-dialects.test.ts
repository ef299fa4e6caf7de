import { afterEach, describe, expect, test } from '@jest/globals';
import { type ProviderConfig, recordByName } from '../../lambda/config/snapshot.ts';
import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import type { GatewayRequest } from '../../lambda/gateway/exchange.ts';
import { catalogue } from '../../lambda/providers/catalogue.ts';
import type { CatalogueEntry } from '../../lambda/providers/catalogue-entry.ts';
import { chatRequest, closeCores, handled } from '../support/core.ts';
import type { WireAnswer } from '../support/dialect-fixtures/dialect-fixture.ts';
import { dialectFixtures } from '../support/dialect-fixtures/fixtures.ts';
import { keyHeader } from '../support/key-header.ts';
import { answer } from '../support/scripted-vendor.ts';
import { aSnapshot } from '../support/snapshots.ts';
import { suiteVendor } from '../support/suite-vendor.ts';

const vendor = suiteVendor();

afterEach(closeCores);

const hello: WireAnswer = {
  text: ['hel', 'lo'],
  calls: [],
  finish: 'stop',
  usage: {
    inputTokens: 5,
    outputTokens: 2,
    cacheReadInputTokens: 0,
    cacheCreationInputTokens: 0,
    reasoningOutputTokens: 0,
  },
};

/** Models of vendors that speak a dialect with some of theirs only. */
const examples: Readonly<Record<string, Partial<Record<DialectName, string>>>> = {
  'google-vertex-ai': {
    gemini: 'gemini-2.5-pro',
    'anthropic-messages': 'claude-haiku-4-5@20251001',
    'openai-chat': 'meta/llama-4-maas',
  },
  'azure-openai': { 'anthropic-messages': 'claude-opus' },
  openrouter: { 'anthropic-messages': 'anthropic/claude-opus' },
};

/** How someone asks who speaks the vendor's dialect, or OpenAI's where no caller speaks it. */
function requestIn(dialect: DialectName, model: string, stream: boolean): GatewayRequest {
  const body = (fields: object): Partial<GatewayRequest> => ({ body: Buffer.from(JSON.stringify(fields)) });
  const messages = [{ role: 'user', content: 'hi' }];
  switch (dialect) {
    case 'openai-responses':
      return chatRequest({}, { path: '/v1/responses', ...body({ model, stream, input: 'hi' }) });
    case 'anthropic-messages':
      return chatRequest({}, { path: '/v1/messages', ...body({ model, stream, max_tokens: 9, messages }) });
    case 'gemini': {
      const method = stream ? 'streamGenerateContent' : 'generateContent';
      const contents = [{ role: 'user', parts: [{ text: 'hi' }] }];
      return chatRequest({}, { path: `/v1beta/models/${model}:${method}`, query: 'alt=sse', ...body({ contents }) });
    }
    default:
      return chatRequest({ model, stream });
  }
}

function pathOf(entry: CatalogueEntry, dialect: DialectName, model: string, stream: boolean): string {
  const either = entry.paths[dialect] ?? '';
  const path = typeof either === 'string' ? either : either[stream ? 'streamed' : 'buffered'];
  return path
    .replace(/\{(?:model|deployment)\}/, model.replace('/', '%2F'))
    .replace('{location}', '')
    .replace('{apiVersion}', entry.apiVersion ?? '');
}

const pairs = catalogue.flatMap((entry) =>
  (Object.keys(entry.paths) as DialectName[]).map((dialect) => [entry.name, dialect, entry] as const),
);

describe.each(pairs)('%s, speaking %s', (name, dialect, entry) => {
  const fixture = dialectFixtures.find((one) => one.dialect.name === dialect);
  const model = examples[name]?.[dialect] ?? 'their-model-1';

  test.each([false, true])(
    'is called on its path with its key, and its answer is heard (streamed: %s)',
    async (stream) => {
      if (!fixture) throw new Error(`There is no fixture of ${dialect}`);
      vendor.seen.length = 0;
      const type = dialect === 'bedrock-converse' ? 'application/vnd.amazon.eventstream' : 'text/event-stream';
      vendor.always(
        stream
          ? (_, response) =>
              void response.writeHead(200, { 'content-type': type }).end(Buffer.concat(fixture.stream(hello)))
          : answer(200, fixture.body(hello)),
      );
      const region = entry.regions && !entry.regions.default ? { region: 'eu-central-1' } : {};
      const config: ProviderConfig = { type: name, baseUrl: `${new URL(vendor.url).origin}/base`, ...region };
      const snapshot = aSnapshot({ providers: recordByName([[name, config]]) });

      const { head, text, line } = await handled(snapshot, requestIn(dialect, `${name}/${model}`, stream));

      expect(head?.status).toBe(200);
      expect(vendor.seen.map(({ path }) => path)).toEqual([`/base${pathOf(entry, dialect, model, stream)}`]);
      expect(vendor.seen[0]?.headers).toMatchObject({ ...keyHeader(entry), ...entry.headers });
      expect(text.replaceAll(/[^a-z]/g, '')).toContain('hel');
      expect(line).toMatchObject({ status: 200, provider: name, finishReason: 'stop' });
      const isSilent = stream && fixture.lacks.includes('usage of streams');
      expect(line.usage).toEqual(isSilent ? undefined : expect.objectContaining({ inputTokens: 5, outputTokens: 2 }));
    },
  );
});
