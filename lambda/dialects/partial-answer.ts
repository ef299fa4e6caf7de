import type { ChatEvent } from './chat-event.ts';

/** What a caller has of an answer that broke off, and whether another answer may go on from there. */
export type PartialAnswer = {
  /** One more event that the caller has. */
  add(event: ChatEvent): void;
  /** The text so far, when there is nothing but text of one choice: a vendor can then be asked to go on behind it. */
  onlyText(): string | undefined;
  /** False when it holds what no second answer repeats: signatures, citations, log probabilities. */
  isRepeatable(): boolean;
  /** Compares another answer with it, from its first event on. */
  compare(): Comparison;
};

/** Takes the events of another answer one by one. */
export type Comparison = {
  /** What of the event goes beyond that which the caller has; undefined when the answers differ. */
  take(event: ChatEvent): ChatEvent[] | undefined;
};

type ChoiceEvent = Extract<ChatEvent, { choice: number }>;
/** Adjacent pieces of one kind are one piece: how an answer was cut into events means nothing. */
type Segment = { what: string; text: string };

/** Starts with nothing. */
export function partialAnswer(): PartialAnswer {
  const choices = new Map<number, Segment[]>();
  let isRepeatable = true;
  return {
    add(event) {
      if (!('choice' in event)) return;
      isRepeatable &&= !isUnique(event);
      const segments = choices.get(event.choice) ?? [];
      choices.set(event.choice, segments);
      const { what, text } = segmentOf(event);
      const last = segments.at(-1);
      if (last?.what === what && text !== '') last.text += text;
      else segments.push({ what, text });
    },
    onlyText() {
      const [first, ...others] = [...choices.values()].flat();
      return first?.what === 'text' && others.length === 0 ? first.text : undefined;
    },
    isRepeatable: () => isRepeatable,
    compare() {
      const cursors = new Map([...choices].map(([choice, segments]) => [choice, { segments, at: 0, offset: 0 }]));
      return { take: (event) => ('choice' in event ? takeEvent(event, cursors.get(event.choice)) : []) };
    },
  };
}

function isUnique(event: ChoiceEvent): boolean {
  if (event.type === 'citation' || event.type === 'logprobs') return true;
  if (event.type === 'reasoning') return event.signature !== undefined || event.redacted !== undefined;
  return event.type === 'tool-call' && event.signature !== undefined;
}

function segmentOf(event: ChoiceEvent): Segment {
  switch (event.type) {
    case 'text':
    case 'refusal':
      return { what: event.type, text: event.text };
    case 'reasoning':
      return { what: 'reasoning', text: event.text ?? '' };
    case 'tool-call':
      // Its id is one that nobody else can know; the caller keeps the first.
      return { what: `call ${event.index} ${event.name}`, text: '' };
    case 'tool-arguments':
      return { what: `arguments ${event.index}`, text: event.text };
    case 'finish':
      return { what: `finish ${event.reason}`, text: '' };
    default:
      return { what: event.type, text: '' };
  }
}

type Cursor = { segments: readonly Segment[]; at: number; offset: number };

/** Moves the cursor over what the event repeats; without a cursor the caller has nothing of this choice. */
function takeEvent(event: ChoiceEvent, cursor: Cursor | undefined): ChatEvent[] | undefined {
  const { what, text } = segmentOf(event);
  let rest = text;
  for (;;) {
    const segment = cursor?.segments[cursor.at];
    if (!cursor || !segment) return rest === text ? [event] : beyond(event, rest);
    if (segment.what === what && segment.text === '' && text === '') {
      cursor.at++;
      return [];
    }
    if (cursor.offset === segment.text.length && segment.text !== '') {
      cursor.at++;
      cursor.offset = 0;
      continue;
    }
    if (segment.what !== what || isUnique(event)) return undefined;
    if (rest === '') return [];
    const length = Math.min(rest.length, segment.text.length - cursor.offset);
    if (rest.slice(0, length) !== segment.text.slice(cursor.offset, cursor.offset + length)) return undefined;
    cursor.offset += length;
    rest = rest.slice(length);
    if (rest === '') return [];
  }
}

function beyond(event: ChoiceEvent, rest: string): ChatEvent[] {
  return rest !== '' && 'text' in event ? [{ ...event, text: rest }] : [];
}
