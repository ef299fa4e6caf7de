import { isObject, type JsonObject, parseJson } from '../../lambda/dialects/json-value.ts';

/** Values that stand where another was expected. */
export const strangers: readonly unknown[] = [
  null,
  7,
  -1,
  '',
  'x',
  true,
  [],
  {},
  [null],
  ['x'],
  [{}],
  { a: 1 },
  'constructor',
];

/** The object with the value at one of its places, counted from 0 and around again, replaced. */
export function distorted(value: JsonObject, place: number, stranger: unknown): JsonObject {
  const copy = structuredClone(value);
  const slots = slotsOf(copy);
  const [holder, key] = slots[place % Math.max(1, slots.length)] ?? [{}, ''];
  (holder as JsonObject)[key] = stranger;
  return copy;
}

/** The same of the JSON inside a server-sent event; an event without JSON stays as it is. */
export function distortedEvent(event: Uint8Array, place: number, stranger: unknown): Uint8Array {
  const text = Buffer.from(event).toString('utf8');
  const start = text.indexOf('data: ') + 'data: '.length;
  const data = parseJson(text.slice(start));
  if (!isObject(data)) return event;
  return Buffer.from(`${text.slice(0, start)}${JSON.stringify(distorted(data, place, stranger))}\n\n`);
}

function slotsOf(value: unknown): [object, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, held]) => [[value, key] as [object, string], ...slotsOf(held)]);
}
