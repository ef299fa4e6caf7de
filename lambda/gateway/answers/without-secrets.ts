const mask = Buffer.from('***');

/** What is shorter is a word that a server without keys takes for one, and may stand in any answer. */
const shortestSecret = 16;

/** The same pieces without keys that a vendor quotes, wherever they are cut. Nothing else of them is touched. */
export function withoutSecrets(pieces: AsyncIterator<Buffer>, secrets: readonly string[]): AsyncIterator<Buffer> {
  const hide = (hidden: AsyncIterator<Buffer>, secret: string) => withoutSecret(hidden, Buffer.from(secret));
  return [...new Set(secrets)].filter(({ length }) => length >= shortestSecret).reduce(hide, pieces);
}

async function* withoutSecret(pieces: AsyncIterator<Buffer>, secret: Buffer): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0);
  for (;;) {
    const next = await pieces.next();
    if (next.done) break;
    const bytes = masked(held.length > 0 ? Buffer.concat([held, next.value]) : next.value, secret);
    const passed = bytes.length - lengthOfBeginning(bytes, secret);
    held = bytes.subarray(passed);
    if (passed > 0) yield bytes.subarray(0, passed);
  }
  if (held.length > 0) yield held;
}

function masked(bytes: Buffer, secret: Buffer): Buffer {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, start)) {
    parts.push(bytes.subarray(start, at), mask);
    start = at + secret.length;
  }
  return start === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(start)]);
}

/** With how many bytes at its end a secret may begin; they wait for what follows. */
function lengthOfBeginning(bytes: Buffer, secret: Buffer): number {
  const longest = Math.min(secret.length - 1, bytes.length);
  for (let length = longest; length > 0; length--) {
    if (secret.subarray(0, length).equals(bytes.subarray(bytes.length - length))) return length;
  }
  return 0;
}
