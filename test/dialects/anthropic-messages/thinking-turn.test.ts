import { describe, expect, test } from '@jest/globals';
import { anthropicMessagesVendor } from '../../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import { bedrockConverseVendor } from '../../../lambda/dialects/bedrock-converse/bedrock-converse.ts';
import type { ChatRequest, Message, Part, ReasoningPart } from '../../../lambda/dialects/chat-request.ts';
import { aChatRequest, aUserMessage } from '../../support/chat-requests.ts';

const call: Part = { type: 'tool-call', id: 'c', name: 'f', arguments: '{}' };
const results: Message = { role: 'user', parts: [{ type: 'tool-result', callId: 'c', content: [] }] };
const signed: ReasoningPart = { type: 'reasoning', text: 'hm', signature: 's' };

function thinkingAbout(messages: Message[], changes: Partial<ChatRequest> = {}): ChatRequest {
  return aChatRequest({ messages: [aUserMessage('Hi'), ...messages], reasoning: { budgetTokens: 2000 }, ...changes });
}

const cases: [string, Message[], boolean][] = [
  ['comes with its thoughts', [{ role: 'assistant', parts: [signed, call] }, results], true],
  [
    'comes with encrypted thoughts',
    [{ role: 'assistant', parts: [{ type: 'reasoning', text: '', redacted: 'r' }, call] }, results],
    true,
  ],
  [
    'comes without the thoughts of another vendor',
    [{ role: 'assistant', parts: [{ type: 'reasoning', text: 'hm' }, call] }, results],
    false,
  ],
  [
    'comes without any, and goes on behind its results',
    [{ role: 'assistant', parts: [call] }, results, aUserMessage('Be brief')],
    false,
  ],
  ['comes without any', [{ role: 'assistant', parts: [call] }, results], false],
  [
    'is over',
    [
      { role: 'assistant', parts: [call] },
      results,
      { role: 'assistant', parts: [{ type: 'text', text: 'a' }] },
      aUserMessage('More'),
    ],
    true,
  ],
];

describe('a turn with calls in which Claude shall think', () => {
  test.each(cases)('that %s', (_, messages, thinks) => {
    const request = thinkingAbout(messages);
    const anthropic = anthropicMessagesVendor.encodeRequest(request, { model: 'claude-sonnet-4-5' });
    const bedrock = bedrockConverseVendor.encodeRequest(request, { model: 'eu.anthropic.claude-sonnet-4-5-v1:0' });

    expect('thinking' in anthropic.body).toBe(thinks);
    expect(JSON.stringify(bedrock.body).includes('"thinking"')).toBe(thinks);
    expect([...anthropic.unsupported, ...bedrock.unsupported]).toEqual([]);
  });

  test("keeps the field of Anthropic's own callers only where it can be", () => {
    const own = { extensions: { 'anthropic-messages': { thinking: { type: 'enabled', budget_tokens: 2000 } } } };
    const encode = (messages: Message[]) =>
      anthropicMessagesVendor.encodeRequest(thinkingAbout(messages, own), { model: 'claude-sonnet-4-5' }).body;

    expect(encode([{ role: 'assistant', parts: [call] }, results])).not.toHaveProperty('thinking');
    expect(encode([])).toHaveProperty('thinking');
  });
});
