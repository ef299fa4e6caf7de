import { describe, expect, test } from '@jest/globals';
import { anthropicMessagesClient } from '../../lambda/dialects/anthropic-messages/anthropic-messages.ts';
import { openAiChatClient } from '../../lambda/dialects/openai-chat/openai-chat.ts';
import { factsOfRequest } from '../../lambda/dialects/request-facts.ts';
import { readClientCall } from '../../lambda/gateway/caller/client-call.ts';

/** A chat request's facts as they are read from its body, and as they are read of the decoded request. */
function factsOf(messages: object[], more: object = {}) {
  const call = readClientCall(openAiChatClient, JSON.stringify({ model: 'm', messages, ...more }), {});
  return [call.facts, factsOfRequest(call.request())];
}

/** The same by either reader. */
function openingOf(messages: object[]): string | undefined {
  const [read, decoded] = factsOf(messages).map((facts) => facts?.opening);
  expect(decoded).toBe(read);
  return read;
}

const system = (content: unknown) => ({ role: 'system', content });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const long = 'You are a helpful assistant. '.repeat(1_000);
const picture = (data: string) => [
  { type: 'image_url', image_url: { url: `data:image/png;base64,iVBORw0KGgo${'A'.repeat(5_000)}${data}` } },
];

describe('the opening of a conversation', () => {
  test('is that of its first turn in all its turns', () => {
    const first = [system('Be brief.'), user('Hello')];

    expect(openingOf([...first, assistant('Hi'), user('And now?')])).toBe(openingOf(first));
    expect(openingOf([...first, assistant('Hi'), system('Be kind.'), user('More')])).toBe(openingOf(first));
  });

  test('tells the user’s words apart, however long the instructions are', () => {
    const said = ['Hello', 'Good day', `${'x'.repeat(900)}!`].map((words) => openingOf([system(long), user(words)]));

    expect(new Set(said).size).toBe(3);
    for (const opening of said) expect(opening?.length).toBeLessThan(2_100);
  });

  test('tells the instructions apart, in a word of the developer too', () => {
    const developer = { role: 'developer', content: 'b' };
    const told = [[], [system('a')], [developer], [system('a'), developer]].map((before) =>
      openingOf([...before, user('Hello')]),
    );

    expect(new Set(told).size).toBe(4);
  });

  test('is the same whether the words come as text or in parts', () => {
    const parts = ['Hel', 'lo'].map((text) => ({ type: 'text', text }));

    expect(openingOf([system('Be brief.'), user(parts)])).toBe(openingOf([system('Be brief.'), user('Hello')]));
  });

  test('tells pictures apart that begin alike, and holds no more than a little of them', () => {
    const [one, other] = ['one=', 'two='].map((end) => openingOf([user(picture(end))]));

    expect(one).not.toEqual(other);
    for (const opening of [one, other]) {
      expect(opening).toMatch(/=$/);
      expect(opening?.length).toBeLessThan(200);
    }
  });

  test.each([
    ['a small picture', { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }, 'AAAA'],
    [
      'a linked picture',
      { type: 'image_url', image_url: { url: 'https://a.example/b.png' } },
      'https://a.example/b.png',
    ],
    ['a sound', { type: 'input_audio', input_audio: { data: 'BBBB', format: 'wav' } }, 'BBBB'],
    ['a file', { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,CCCC' } }, 'CCCC'],
    ['an uploaded file', { type: 'file', file: { file_id: 'file-1' } }, 'file-1'],
  ])('may be %s', (_, part, told) => {
    expect(openingOf([user([part])])).toBe(`\n${told}`);
  });

  test.each([
    ['there are no messages', []],
    ['the user has said nothing', [system('Be brief.'), user('')]],
    ['only the assistant has spoken', [system('Be brief.'), assistant('Hi')]],
  ])('is unknown where %s', (_, messages) => {
    expect(openingOf([...messages, assistant('.')])).toBeUndefined();
  });

  test('is found where an older beginning was cut off: what assistant and tools said before is not the user’s', () => {
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } };
    const cut = [
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'found' },
    ];

    expect(openingOf([...cut, user('Hello')])).toBe(openingOf([user('Hello')]));
  });

  test('holds the system prompt of other dialects', () => {
    const body = { model: 'm', max_tokens: 9, system: 'Be brief.', messages: [user('Hello')] };
    const call = readClientCall(anthropicMessagesClient, JSON.stringify(body), {});

    expect(factsOfRequest(call.request()).opening).toBe(openingOf([system('Be brief.'), user('Hello')]));
  });
});

test.each<[string, unknown, object, object]>([
  ['nothing', 'hi', {}, { needs: [], thinks: false, mediaCount: 0 }],
  ['tools', 'hi', { tools: [{ type: 'function', function: { name: 'f' } }] }, { needs: ['tools'] }],
  ['a JSON Schema', 'hi', { response_format: aSchema() }, { needs: ['jsonSchema'] }],
  ['pictures', picture('end='), {}, { needs: ['vision'], mediaCount: 1 }],
  ['thinking', 'hi', { reasoning_effort: 'high' }, { thinks: true }],
  ['no thinking', 'hi', { reasoning_effort: 'none' }, { thinks: false }],
  ['a limit', 'hi', { max_completion_tokens: 7 }, { maxOutputTokens: 7 }],
  ['whom it is for', 'hi', { user: 'u', metadata: { team: 't' } }, { user: 'u', metadata: { team: 't' } }],
])('a request that wants %s says so, decoded or not', (_, content, more, facts) => {
  for (const read of factsOf([user(content)], more)) expect(read).toMatchObject(facts);
});

function aSchema(): object {
  return { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } };
}
