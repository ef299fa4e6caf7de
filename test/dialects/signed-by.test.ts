import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChatEvent } from '../../lambda/dialects/chat-event.ts';
import type { ChatRequest, Part } from '../../lambda/dialects/chat-request.ts';
import { markSecrets, mayHoldMarks, ownSecrets } from '../../lambda/dialects/signed-by.ts';
import { aChatRequest } from '../support/chat-requests.ts';

function asking(...parts: Part[]): ChatRequest {
  return aChatRequest({ messages: [{ role: 'assistant', parts }] });
}

function partsFor(maker: string, ...parts: Part[]): readonly Part[] {
  return ownSecrets(asking(...parts), maker).messages[0]?.parts ?? [];
}

const thought = { type: 'reasoning', choice: 0, text: 'I must look.' } as const;
const call: Part = { type: 'tool-call', id: 'c', name: 'f', arguments: '{}' };

/** The thought as it comes back from a caller who keeps everything. */
function returned(event: ChatEvent): Part {
  if (event.type !== 'reasoning') throw new Error('No thought');
  const { type, text = '', signature, redacted, id } = event;
  return { type, text, ...(signature ? { signature } : {}), ...(redacted ? { redacted } : {}), ...(id ? { id } : {}) };
}

describe('a signature', () => {
  test('returns to its maker as it was made, whatever it is made of', () => {
    const names = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/);
    const secrets = fc.string({ minLength: 1 });

    fc.assert(
      fc.property(names, secrets, secrets, (maker, signature, redacted) => {
        for (const secret of [{ signature }, { redacted }, { signature, redacted, id: 'rs_1' }]) {
          const back = returned(markSecrets({ ...thought, ...secret }, maker));
          expect(partsFor(maker, back)).toEqual([{ type: 'reasoning', text: thought.text, ...secret }]);
        }
      }),
    );
  });

  test('of another maker is left out with its id, and the thought is still there to be read', () => {
    const back = returned(markSecrets({ ...thought, signature: 's', redacted: 'r', id: 'rs_1' }, 'gemini'));

    expect(partsFor('claude', back)).toEqual([{ type: 'reasoning', text: thought.text }]);
  });

  test('of a call goes the same way', () => {
    const marked = markSecrets(
      { type: 'tool-call', choice: 0, index: 0, id: 'c', name: 'f', signature: 's' },
      'gemini',
    );
    const signature = 'signature' in marked ? String(marked.signature) : '';

    expect(partsFor('gemini', { ...call, signature })).toEqual([{ ...call, signature: 's' }]);
    expect(partsFor('claude', { ...call, signature })).toEqual([call]);
  });

  test('without a mark stays as it is', () => {
    const parts: Part[] = [
      { type: 'reasoning', text: 't', signature: 's', redacted: 'r', id: 'i' },
      { ...call, signature: 's' },
    ];

    expect(partsFor('claude', ...parts)).toEqual(parts);
    expect(partsFor('claude', { ...call, signature: 'sl1:half' })).toEqual([{ ...call, signature: 'sl1:half' }]);
  });

  test('marks nothing but secrets', () => {
    const events: ChatEvent[] = [
      thought,
      { type: 'text', choice: 0, text: 'sl1:x:y' },
      { type: 'tool-call', choice: 0, index: 0, id: 'c', name: 'f' },
    ];

    expect(events.map((event) => markSecrets(event, 'claude'))).toEqual(events);
  });
});

test('a body with marks is known, also where they are in base64', () => {
  const marked = markSecrets({ ...thought, signature: 's' }, 'claude');

  expect(mayHoldMarks(JSON.stringify(marked))).toBe(true);
  expect(mayHoldMarks(Buffer.from('sluice:{"signature":"sl1:a:b"}').toString('base64'))).toBe(true);
  expect(mayHoldMarks(JSON.stringify(asking({ type: 'text', text: 'hello' })))).toBe(false);
});

test('blocks that are kept beside the vocabulary bring no marks back', () => {
  const kept = [
    { message: 0, part: 0, block: { signature: 'sl1:gemini:s' } },
    { message: 0, part: 1, block: { a: 1 } },
  ];
  const request = aChatRequest({ extensions: { 'anthropic-messages': { block_details: kept, other: 1 } } });

  expect(ownSecrets(request, 'claude').extensions).toEqual({
    'anthropic-messages': { block_details: [kept[1]], other: 1 },
  });
});
