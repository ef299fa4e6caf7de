/**
 * What the `encrypted_content` of a reasoning item holds: a signature as its vendor made it, or, marked as such, what
 * other dialects tell apart: a thought that is only there encrypted, and the signature of a tool call (Gemini).
 */
export type Secret =
  | { kind: 'signature'; signature: string }
  | { kind: 'redacted'; redacted: string }
  | { kind: 'tool-call'; callId: string; signature: string };

const redactedMark = 'sluice:redacted:';
const toolCallMark = 'sluice:call:';

/** The text that callers keep and send back with the next turn. */
export function sealSecret(secret: Secret): string {
  if (secret.kind === 'signature') return secret.signature;
  if (secret.kind === 'redacted') return redactedMark + secret.redacted;
  return `${toolCallMark}${encodeURIComponent(secret.callId)}:${secret.signature}`;
}

/** Reads what `sealSecret` wrote; any other text is a vendor's own signature. */
export function openSecret(text: string): Secret {
  if (text.startsWith(redactedMark)) return { kind: 'redacted', redacted: text.slice(redactedMark.length) };
  const colon = text.startsWith(toolCallMark) ? text.indexOf(':', toolCallMark.length) : -1;
  const callId = colon < 0 ? undefined : decodedOrUndefined(text.slice(toolCallMark.length, colon));
  if (callId === undefined) return { kind: 'signature', signature: text };
  return { kind: 'tool-call', callId, signature: text.slice(colon + 1) };
}

function decodedOrUndefined(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
