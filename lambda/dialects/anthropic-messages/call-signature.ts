const prefix = 'sluice.call.';

/**
 * Gemini signs its tool calls and wants the signature back; this dialect's calls have no place for it. Its clients must
 * return encrypted thoughts unchanged, so the signature travels as one that stands right before the call.
 */
export function writeCallSignature(signature: string): string {
  return prefix + signature;
}

/** The signature of the call that follows, or undefined when the data is a vendor's own encrypted thought. */
export function readCallSignature(data: string): string | undefined {
  return data.startsWith(prefix) ? data.slice(prefix.length) : undefined;
}
