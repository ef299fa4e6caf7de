import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chatRequest, closeCores, handled, snapshotOf } from '../support/core.ts';
import { event, type ScriptedVendor, startScriptedVendor, stream } from '../support/scripted-vendor.ts';

let vendor: ScriptedVendor;

beforeEach(async () => {
  vendor = await startScriptedVendor();
});

afterEach(async () => {
  closeCores();
  await vendor.close();
});

/** Choices of OpenAI's chat; the last one of each ends it. */
function chatChunk(index: number, content: string, finish: string | null = null): string {
  return event({
    id: 'c',
    object: 'chat.completion.chunk',
    choices: [{ index, delta: { content }, finish_reason: finish }],
  });
}

function candidate(index: number, text: string, finishReason?: string): string {
  return event({ candidates: [{ index, content: { role: 'model', parts: [{ text }] }, finishReason }] });
}

const chat = {
  begun: [chatChunk(0, 'a'), chatChunk(1, 'b'), chatChunk(0, '', 'stop')],
  last: chatChunk(1, '', 'stop'),
};
const gemini = {
  begun: [candidate(0, 'a'), candidate(1, 'b'), candidate(0, '', 'STOP')],
  last: candidate(1, '', 'STOP'),
};

const asked = { n: 2, stream: true, messages: [{ role: 'user', content: 'Hi' }] };
const chatCaller = () => chatRequest(asked);
const geminiCaller = () =>
  chatRequest(
    { contents: [{ parts: [{ text: 'Hi' }] }], generationConfig: { candidateCount: 2 } },
    { path: '/v1beta/models/one:streamGenerateContent', query: 'alt=sse' },
  );

describe.each([
  ['passed on between callers and vendors of OpenAI’s chat', 'openai-compatible', chat, chatCaller],
  ['passed on between callers and vendors of another dialect', 'google-ai-studio', gemini, geminiCaller],
  ['translated', 'google-ai-studio', gemini, chatCaller],
] as const)('a stream of several choices, %s,', (_, type, wire, ask) => {
  test('is cut where it ends while one of them has not finished', async () => {
    vendor.always(stream(...wire.begun));

    const { text, line } = await handled(snapshotOf(vendor.url, { provider: { type } }), ask());

    expect(line).toMatchObject({ status: 200, errorCode: 'provider_failed' });
    expect(text).toContain('"error"');
    expect(text).not.toContain('[DONE]');
  });

  test('is whole when all have finished', async () => {
    vendor.always(stream(...wire.begun, wire.last));

    const { text, line } = await handled(snapshotOf(vendor.url, { provider: { type } }), ask());

    expect(line['errorCode']).toBeUndefined();
    expect(text).not.toContain('"error"');
  });
});
