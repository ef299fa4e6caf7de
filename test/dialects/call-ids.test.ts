import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { callIdsFit, withFittingCallIds } from '../../lambda/dialects/call-ids.ts';
import type { ChatRequest } from '../../lambda/dialects/chat-request.ts';
import { aChatRequest } from '../support/chat-requests.ts';

function conversation(id: string): ChatRequest {
  return aChatRequest({
    messages: [
      { role: 'assistant', parts: [{ type: 'tool-call', id, name: 'f', arguments: '{}' }] },
      { role: 'user', parts: [{ type: 'tool-result', callId: id, content: [] }] },
    ],
  });
}

function idsOf({ messages }: ChatRequest): string[] {
  return messages.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.type === 'tool-call' ? [part.id] : part.type === 'tool-result' ? [part.callId] : [])),
  );
}

describe('ids of calls', () => {
  test('that a vendor takes stay as they are', () => {
    expect(idsOf(withFittingCallIds(conversation('toolu_01abc'), 'openai'))).toEqual(['toolu_01abc', 'toolu_01abc']);
    expect(idsOf(withFittingCallIds(conversation('aB3aB3aB3'), 'nine'))).toEqual(['aB3aB3aB3', 'aB3aB3aB3']);
  });

  test('that it does not take become others, the same for a call and its result', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (id) => {
        for (const [form, pattern] of [
          ['nine', /^[a-zA-Z0-9]{9}$/],
          ['openai', /^.{0,40}$/s],
        ] as const) {
          const fitted = withFittingCallIds(conversation(id), form);
          const [call = '', result] = idsOf(fitted);
          expect(call).toMatch(pattern);
          expect(result).toBe(call);
          expect(callIdsFit(fitted, form)).toBe(true);
        }
      }),
    );
  });

  test('that differ stay different', () => {
    const ids = Array.from(
      { length: 2_000 },
      (_, index) => idsOf(withFittingCallIds(conversation(`call_${index}`), 'nine'))[0],
    );

    expect(new Set(ids).size).toBe(ids.length);
  });
});
