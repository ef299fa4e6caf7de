import type { ReasoningPart } from '../chat-request.ts';
import { isObject, parseJson, stringOrUndefined } from '../json-value.ts';

/** What must return to the vendor that made it. */
export type Secrets = Pick<ReasoningPart, 'signature' | 'redacted' | 'id'>;

const mark = 'sluice:';

/**
 * A `thoughtSignature` that holds the secrets of any vendor. They are wrapped, since Python's SDK returns the field in
 * another base64 alphabet than it came in: bytes to Google, but a changed text to everybody else.
 */
export function wrapSecrets({ signature, redacted, id }: Secrets): string | undefined {
  if (signature === undefined && redacted === undefined && id === undefined) return undefined;
  return Buffer.from(mark + JSON.stringify({ signature, redacted, id })).toString('base64');
}

/** The secrets in a `thoughtSignature`: those that were wrapped, or else Google's own signature. */
export function unwrapSecrets(thoughtSignature: unknown): Secrets {
  const text = stringOrUndefined(thoughtSignature);
  if (text === undefined) return {};
  // `Buffer` reads both alphabets.
  const wrapped = text.startsWith(wrappedStart) ? Buffer.from(text, 'base64').toString('utf8') : '';
  const held = wrapped.startsWith(mark) ? parseJson(wrapped.slice(mark.length)) : undefined;
  if (!isObject(held)) return { signature: text };
  const signature = stringOrUndefined(held['signature']);
  const redacted = stringOrUndefined(held['redacted']);
  const id = stringOrUndefined(held['id']);
  return { ...(signature ? { signature } : {}), ...(redacted ? { redacted } : {}), ...(id ? { id } : {}) };
}

const wrappedStart = Buffer.from(mark).toString('base64').slice(0, 8);

/**
 * True for signatures that another vendor made, as far as they can be told: Gemini answers 400 to them. Anthropic's hold
 * a message that begins with the fields 1 and 3, or 1, 2 and 3; OpenAI's are Fernet tokens.
 */
export function isForeignSignature(signature: string): boolean {
  if (signature.startsWith('gAAAA')) return true;
  const hex = Buffer.from(signature.slice(0, 24), 'base64').toString('hex');
  return /^12(?:[89a-f].){0,2}..0a(?:[89a-f].){0,2}..08..(?:10..)?18/.test(hex);
}
