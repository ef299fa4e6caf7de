import { isObject, type JsonObject } from '../json-value.ts';

/** Longer lists in arguments are taken for a mistake, not for memory to set aside. */
const longestList = 100_000;

type Holder = { [step: string]: unknown };

/**
 * Arguments that Vertex AI streams in pieces, each with the path where it belongs; pieces of one text follow each other.
 * https://docs.cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling#streaming-fc
 */
export function addPartialArguments(target: JsonObject, pieces: unknown): void {
  if (!Array.isArray(pieces)) return;
  for (const piece of pieces) {
    if (!isObject(piece)) continue;
    const steps = stepsOf(piece['jsonPath']);
    if (steps.length > 0) setAt(target, steps, piece);
  }
}

/** `$.items[0]['a b']` as its steps; a number is a place in a list. */
function stepsOf(path: unknown): (string | number)[] {
  if (typeof path !== 'string') return [];
  const matches = path.matchAll(/\.([^.[\]]+)|\[(\d{1,6})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/g);
  return [...matches].map(([, name, index, single, double]) =>
    index === undefined ? (name ?? (single ?? double ?? '').replace(/\\(.)/g, '$1')) : Number(index),
  );
}

function setAt(target: JsonObject, steps: readonly (string | number)[], piece: JsonObject): void {
  let holder = target as Holder;
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at] as string | number;
    if (typeof step === 'number' && (!Array.isArray(holder) || step >= longestList)) return;
    const held = Object.hasOwn(holder, step) ? holder[step] : undefined;
    const isLast = at === steps.length - 1;
    const value = isLast ? pieceValue(piece, held) : (held ?? (typeof steps[at + 1] === 'number' ? [] : {}));
    // Plain assignment of `__proto__` would change the object instead of adding a field.
    Object.defineProperty(holder, step, { value, enumerable: true, configurable: true, writable: true });
    if (typeof value !== 'object' || value === null) return;
    holder = value as Holder;
  }
}

function pieceValue({ stringValue, numberValue, boolValue }: JsonObject, held: unknown): unknown {
  if (typeof stringValue === 'string') return typeof held === 'string' ? held + stringValue : stringValue;
  return numberValue ?? boolValue ?? null;
}
