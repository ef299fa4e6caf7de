import { EventTooLargeError } from '../sse-events.ts';

const maxHeldBytes = 1024 * 1024;

const quote = 34;
const backslash = 92;
const opens = new Set([91, 123]);
const closes = new Set([93, 125]);

/**
 * The texts of the objects in a stream that is one JSON array, those that a piece completes at once. An object that
 * stands alone, as an error does, counts as the only item.
 */
export async function* readArrayItems(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  let held: Buffer[] = [];
  let heldBytes = 0;
  let depth = 0;
  let inString = false;
  let isEscaped = false;
  for await (const piece of bytes) {
    const chunk = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
    const items: string[] = [];
    let start = depth > 0 ? 0 : -1;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (inString) {
        if (isEscaped) isEscaped = false;
        else if (byte === backslash) isEscaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === quote) inString = true;
      else if (byte === 123 && depth === 0) {
        depth = 1;
        start = at;
      } else if (depth > 0 && opens.has(byte)) depth++;
      else if (depth > 0 && closes.has(byte) && --depth === 0) {
        items.push(Buffer.concat([...held, chunk.subarray(Math.max(start, 0), at + 1)]).toString('utf8'));
        held = [];
        heldBytes = 0;
        start = -1;
      }
    }
    if (items.length > 0) yield items;
    if (depth === 0) continue;
    held.push(chunk.subarray(start));
    heldBytes += chunk.length - start;
    if (heldBytes > maxHeldBytes) throw new EventTooLargeError(`An event of the stream exceeds ${maxHeldBytes} bytes`);
  }
}
