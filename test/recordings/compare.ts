import { isDeepStrictEqual } from 'node:util';
import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import { type Choice, type Failure, newChoice, type Reading } from './reading.ts';

/** Where what was recorded went through. */
export type Way = { recorded: DialectName; client: DialectName; stream: boolean };

/** What differs, in a few words each; nothing when the caller saw what was recorded. */
export function differences(expected: Reading, seen: Reading, way: Way): string[] {
  if (expected.error) return errorDifferences(expected.error, seen.error);
  const isCut = way.stream && expected.choices.every(({ finish }) => finish === undefined);
  // Whether an answer without its finish is whole cannot be known; to say that it is not is no mistake.
  if (seen.error && isCut) return [];
  if (seen.error) return [`threw ${seen.error.status ?? ''} ${seen.error.message}`];
  const count = oneChoice.has(way.client) && way.client !== way.recorded ? 1 : Math.max(1, expected.choices.length);
  const found: string[] = [];
  for (let index = 0; index < count; index++) {
    const [theirs = newChoice(), ours = newChoice()] = [expected.choices[index], seen.choices[index]];
    const [wanted, got] = comparable(theirs, ours, way);
    found.push(...choiceDifferences(told(wanted, way), told(got, way)).map((one) => `choice ${index} ${one}`));
  }
  return [...found, ...tokenDifferences(expected, seen, way)];
}

/** Dialects whose callers get one answer. */
const oneChoice: ReadonlySet<DialectName> = new Set(['openai-responses', 'anthropic-messages']);
const noRefusals: ReadonlySet<DialectName> = new Set(['anthropic-messages', 'gemini']);

/** Where arguments are objects, those of a call that was cut have no place: the call is empty, or left out. */
function comparable(expected: Choice, seen: Choice, { recorded, client }: Way): [Choice, Choice] {
  const isCut = expected.calls.some(({ input }) => input === undefined);
  if (!isCut || recorded === client || !noRefusals.has(client)) return [expected, seen];
  const cutIds = new Set(expected.calls.filter(({ input }) => input === undefined).map(({ id }) => id));
  const whole = (choice: Choice) => ({ ...choice, calls: choice.calls.filter(({ id }) => !cutIds.has(id)) });
  return [whole(expected), whole(seen)];
}

/** A choice in the words that every dialect has: who calls a tool has stopped for it, a refusal is text or withheld. */
function told(choice: Choice, { recorded, client }: Way): Choice {
  const { refusal, calls } = choice;
  if (recorded === client) return choice;
  const isRefused = noRefusals.has(client) || noRefusals.has(recorded);
  const stopped = refusal !== '' && client === 'anthropic-messages' ? 'content_filter' : choice.finish;
  const finish = calls.length > 0 && stopped === 'stop' ? 'tool_calls' : stopped;
  return {
    ...choice,
    ...(isRefused ? { text: choice.text + refusal, refusal: '' } : {}),
    finish: finish === 'tool_calls' && calls.length === 0 ? 'stop' : finish,
  };
}

function choiceDifferences(expected: Choice, seen: Choice): string[] {
  const found: string[] = [];
  for (const field of ['text', 'reasoning', 'refusal', 'finish'] as const) {
    if (expected[field] !== seen[field]) found.push(`${field}: ${firstDifference(expected[field], seen[field])}`);
  }
  if (expected.calls.length !== seen.calls.length) {
    return [...found, `calls: ${JSON.stringify(expected.calls)} became ${JSON.stringify(seen.calls)}`];
  }
  for (const [index, call] of expected.calls.entries()) {
    const other = seen.calls[index];
    if (other && call.name === other.name && isDeepStrictEqual(plain(call.input), plain(other.input))) {
      if (call.id !== '' && call.id !== other.id) found.push(`call ${index} id: ${call.id} became ${other.id}`);
    } else found.push(`call ${index}: ${JSON.stringify(call)} became ${JSON.stringify(other)}`);
  }
  return found;
}

/** SDKs may parse into objects without a prototype. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function tokenDifferences({ usage: counted }: Reading, { usage: seen }: Reading, { recorded, client }: Way): string[] {
  if (counted === undefined) return [];
  // Some vendors count more cached tokens than they count in all; Anthropic's callers add both up.
  const isSum = client === 'anthropic-messages' && client !== recorded;
  const expected = isSum ? { ...counted, input: Math.max(counted.input, counted.cached) } : counted;
  if (isDeepStrictEqual(expected, seen)) return [];
  return [`usage: ${JSON.stringify(expected)} became ${JSON.stringify(seen)}`];
}

function firstDifference(expected = 'nothing', seen = 'nothing'): string {
  let at = 0;
  while (at < expected.length && expected[at] === seen[at]) at++;
  const part = (whole: string) => JSON.stringify(whole.slice(Math.max(0, at - 10), at + 50));
  return `${part(expected)} became ${part(seen)} at ${at}`;
}

function errorDifferences(expected: Failure, seen: Failure | undefined): string[] {
  if (!seen) return [`nothing was thrown for ${JSON.stringify(expected)}`];
  const { status, told: wanted } = expected;
  const found = seen.ownException ? [] : ["not the SDK's own exception"];
  if (wanted !== undefined && seen.status !== wanted) found.push(`status: ${wanted} became ${seen.status}`);
  // What concerns the operator's account is told in the gateway's own words.
  const isOwn = status !== undefined && status < 500 && (wanted === 502 || wanted === 504);
  const words = isOwn ? String(status) : expected.message.replace(/[.\s]+$/, '').slice(0, 1900);
  if (!seen.message.includes(words))
    found.push(`message: ${JSON.stringify(words)} became ${JSON.stringify(seen.message)}`);
  return found;
}
