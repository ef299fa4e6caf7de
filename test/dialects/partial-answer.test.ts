import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChatEvent } from '../../lambda/dialects/chat-event.ts';
import { partialAnswer } from '../../lambda/dialects/partial-answer.ts';

const text = (piece: string, choice = 0): ChatEvent => ({ type: 'text', choice, text: piece });
const thought = (piece: string): ChatEvent => ({ type: 'reasoning', choice: 0, text: piece });
const call = (name: string, id = 'call_1', index = 0): ChatEvent => ({ type: 'tool-call', choice: 0, index, id, name });
const args = (piece: string, index = 0): ChatEvent => ({ type: 'tool-arguments', choice: 0, index, text: piece });
const finish = (choice = 0): ChatEvent => ({ type: 'finish', choice, reason: 'stop', nativeReason: 'stop' });

function had(...events: ChatEvent[]) {
  const partial = partialAnswer();
  for (const event of events) partial.add(event);
  return partial;
}

/** What another answer brings beyond; undefined when it differs. */
function beyond(partial: ReturnType<typeof had>, ...events: ChatEvent[]): ChatEvent[] | undefined {
  const comparison = partial.compare();
  const all: ChatEvent[] = [];
  for (const event of events) {
    const more = comparison.take(event);
    if (!more) return undefined;
    all.push(...more);
  }
  return all;
}

describe('partialAnswer', () => {
  test('gives what another answer has beyond, however both were cut', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.array(fc.nat(40)),
        fc.array(fc.nat(40)),
        (begin, rest, first, second) => {
          const partial = had(...cut(begin, first).map((piece) => text(piece)));
          const more = beyond(partial, ...cut(begin + rest, second).map((piece) => text(piece)));

          expect(more?.map((event) => ('text' in event ? event.text : '')).join('')).toBe(rest);
        },
      ),
    );
  });

  test.each<[string, ChatEvent[], ChatEvent[]]>([
    ['another word', [text('Hello w')], [text('Hello there')]],
    ['a shorter answer that ends', [text('Hello world')], [text('Hello'), finish()]],
    ['a call where the caller has text', [text('Hel')], [call('f')]],
    ['text where the caller has a call', [call('f'), args('{"a"')], [text('Hello')]],
    ['a call of another function', [call('f')], [call('g')]],
    ['other arguments', [call('f'), args('{"a":1')], [call('f'), args('{"b":')]],
    ['other thoughts', [thought('I see'), text('Hel')], [thought('I saw'), text('Hello')]],
    ['no thoughts', [thought('I see'), text('Hel')], [text('Hello')]],
    ['another reason to finish', [text('a'), finish()], [text('a'), { ...finish(), reason: 'length' } as ChatEvent]],
    ['a signature inside the thoughts', [thought('I see')], [{ ...thought('I'), signature: 's' } as ChatEvent]],
  ])('tells that the answers differ: %s', (_, first, second) => {
    expect(beyond(had(...first), ...second)).toBeUndefined();
  });

  test('goes on in the middle of the arguments of a call, whatever its id is now', () => {
    const partial = had(call('f', 'call_1'), args('{"city":"P'));

    const more = beyond(
      partial,
      call('f', 'call_other'),
      args('{"city"'),
      args(':"Paris"}'),
      call('g', 'x', 1),
      finish(),
    );

    expect(more).toEqual([args('aris"}'), call('g', 'x', 1), finish()]);
  });

  test('goes on from thoughts into text', () => {
    const partial = had(thought('I s'));

    expect(beyond(partial, thought('I'), thought(' see.'), text('Hello'))).toEqual([thought('ee.'), text('Hello')]);
  });

  test('compares each of several choices with its own', () => {
    const partial = had(text('a', 0), text('b', 1), finish(1));

    expect(beyond(partial, text('b', 1), finish(1), text('aa', 0), text('c', 2))).toEqual([text('a', 0), text('c', 2)]);
  });

  test('passes on nothing of what the caller has already, such as a start', () => {
    expect(beyond(had(text('a')), { type: 'start', id: 'x', model: 'm' }, text('a'))).toEqual([]);
  });

  test('is only text when nothing but text of one choice has come', () => {
    expect(had(text('Hel'), text('lo')).onlyText()).toBe('Hello');
    expect(had(thought('I see'), text('Hel')).onlyText()).toBeUndefined();
    expect(had(text('a'), text('b', 1)).onlyText()).toBeUndefined();
    expect(had(text('a'), call('f')).onlyText()).toBeUndefined();
    expect(had().onlyText()).toBeUndefined();
  });

  test.each<[string, ChatEvent]>([
    ['a signature', { type: 'reasoning', choice: 0, signature: 's' }],
    ['an encrypted thought', { type: 'reasoning', choice: 0, redacted: 'r' }],
    ['a signed call', { ...call('f'), signature: 's' } as ChatEvent],
    ['a citation', { type: 'citation', choice: 0, citation: { url: 'u' } }],
    ['log probabilities', { type: 'logprobs', choice: 0, content: [{ token: 'a' }] }],
  ])('cannot be repeated when it holds %s', (_, event) => {
    expect(had(text('a'), event).isRepeatable()).toBe(false);
    expect(had(text('a')).isRepeatable()).toBe(true);
  });
});

/** The text in pieces of these lengths, and the rest of it. */
function cut(whole: string, lengths: number[]): string[] {
  let at = 0;
  const pieces = lengths.map((length) => {
    at += length;
    return whole.slice(at - length, at);
  });
  return [...pieces, whole.slice(at)].filter((piece) => piece !== '');
}
