import { afterEach, expect, test } from '@jest/globals';
import { chatRequest, closeCores, handled, snapshotOf } from '../../support/core.ts';
import { type ScriptedVendor, startScriptedVendor, stream } from '../../support/scripted-vendor.ts';

let vendor: ScriptedVendor;

afterEach(async () => {
  closeCores();
  await vendor.close();
});

function named(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

const usage = { input_tokens: 3, output_tokens: 2 };
const message = [
  named('message_start', {
    message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [], usage },
  }),
  named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  named('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'say data: [DONE] twice' } }),
  named('content_block_stop', { index: 0 }),
  named('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage }),
  named('message_stop', {}),
];

test("keeps OpenAI's end marker from callers of Anthropic's dialect, and changes nothing else", async () => {
  vendor = await startScriptedVendor();
  vendor.always(stream([...message, 'event: data\ndata: [DONE]\n\n'].join('')));
  const snapshot = snapshotOf(vendor.url, { provider: { type: 'anthropic' } });

  const { text } = await handled(snapshot, chatRequest({ stream: true, max_tokens: 9 }, { path: '/v1/messages' }));

  expect(text).toBe(message.join(''));
});
