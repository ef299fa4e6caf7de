import { findAnyFacts, laterUsage, readAnyFacts, type SeenFacts } from '../../dialects/any-usage.ts';
import { isObject, parseJson } from '../../dialects/json-value.ts';

/** What passes by, as far as it must be kept to know what the answer says of itself: its beginning and its end. */
export type AnswerWindow = {
  push(piece: Buffer): void;
  /** Whether the end, as far as it is kept, holds this. */
  endHolds(pattern: RegExp): boolean;
  facts(): SeenFacts;
};

const headBytes = 16 * 1024;
/** The last event of OpenAI's Responses repeats the whole answer, and its usage stands behind it. */
const tailBytes = 64 * 1024;

/** Keeps little however long the answer is, at a cost that grows with it and not with the number of its pieces. */
export function answerWindow(): AnswerWindow {
  const head: Buffer[] = [];
  let headLength = 0;
  let tail: Buffer[] = [];
  let tailLength = 0;
  const tailText = () => Buffer.concat(tail).subarray(-tailBytes).toString('utf8');

  return {
    push(piece) {
      const part = piece.subarray(0, headBytes - headLength);
      if (part.length > 0) {
        head.push(part);
        headLength += part.length;
      }
      if (part.length === piece.length) return;
      tail.push(piece.subarray(part.length));
      tailLength += piece.length - part.length;
      // Now and then instead of each time: pieces may be many and small.
      if (tailLength < 2 * tailBytes) return;
      tail = [Buffer.concat(tail).subarray(-tailBytes)];
      tailLength = tailBytes;
    },
    endHolds: (pattern) => pattern.test(tailLength > 0 ? tailText() : Buffer.concat(head).toString('utf8')),
    facts() {
      const first = Buffer.concat(head).toString('utf8');
      const whole = tailLength === 0 ? parseJson(first) : undefined;
      if (isObject(whole)) return readAnyFacts(whole);
      const begun = findAnyFacts(first);
      const ended = tailLength === 0 ? {} : findAnyFacts(tailText());
      return {
        usage: ended.usage ? laterUsage(begun.usage, ended.usage) : begun.usage,
        responseModel: begun.responseModel ?? ended.responseModel,
      };
    },
  };
}
