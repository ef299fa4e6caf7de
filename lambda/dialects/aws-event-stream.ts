/** One message of `application/vnd.amazon.eventstream`; headers that are not text are left out. */
export type EventFrame = { headers: ReadonlyMap<string, string>; payload: Buffer };

/** Bytes that are no event stream, or were damaged on their way. Nothing behind them can be trusted. */
export class EventStreamError extends Error {}

const preludeBytes = 12;
const checksumBytes = 4;
/**
 * What is held of an unfinished message, as with server-sent events. AWS allows 16 MiB, but what Bedrock sends is a piece of
 * an answer each (https://smithy.io/2.0/aws/amazon-eventstream.html).
 */
const mostFrameBytes = 1024 * 1024;

/**
 * Cuts a byte stream, however it was split, into frames and checks both checksums of each. An unfinished frame at the
 * end is given up without a word: whoever reads the frames knows whether the last one said that it was the last.
 */
export async function* readEventFrames(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<EventFrame> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let neededBytes = preludeBytes;
  for await (const piece of bytes) {
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes < neededBytes) continue;
    const whole = held.length === 1 ? asBuffer(piece) : Buffer.concat(held, heldBytes);
    let at = 0;
    for (;;) {
      neededBytes = frameBytes(whole, at);
      if (whole.length - at < neededBytes) break;
      yield readFrame(whole.subarray(at, at + neededBytes));
      at += neededBytes;
    }
    held = [whole.subarray(at)];
    heldBytes = whole.length - at;
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** How long the frame at `at` is, or the length of a prelude while that is not yet there. */
function frameBytes(bytes: Buffer, at: number): number {
  if (bytes.length - at < preludeBytes) return preludeBytes;
  const total = bytes.readUInt32BE(at);
  const headers = bytes.readUInt32BE(at + 4);
  if (crc32(bytes, at, at + 8) !== bytes.readUInt32BE(at + 8)) {
    throw new EventStreamError('The event stream is damaged: the checksum of a prelude is wrong');
  }
  if (total > mostFrameBytes) throw new EventStreamError(`A frame of the event stream exceeds ${mostFrameBytes} bytes`);
  if (total < preludeBytes + headers + checksumBytes) {
    throw new EventStreamError('The event stream is damaged: the headers of a frame exceed it');
  }
  return total;
}

function readFrame(frame: Buffer): EventFrame {
  const payloadEnd = frame.length - checksumBytes;
  if (crc32(frame, 0, payloadEnd) !== frame.readUInt32BE(payloadEnd)) {
    throw new EventStreamError('The event stream is damaged: the checksum of a frame is wrong');
  }
  const headersEnd = preludeBytes + frame.readUInt32BE(4);
  return {
    headers: readHeaders(frame.subarray(preludeBytes, headersEnd)),
    payload: frame.subarray(headersEnd, payloadEnd),
  };
}

const stringType = 7;
/** Bytes of a header's value by its type; byte arrays (6) and texts (7) tell their own length. */
const valueBytes = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16];

function readHeaders(bytes: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + byteAt(bytes, at);
    const type = byteAt(bytes, nameEnd);
    const hasLength = type === 6 || type === stringType;
    const fixed = valueBytes[type];
    if (!hasLength && fixed === undefined) throw new EventStreamError(`A frame has a header of unknown type ${type}`);
    const valueStart = nameEnd + (hasLength ? 3 : 1);
    const length = fixed ?? byteAt(bytes, nameEnd + 1) * 256 + byteAt(bytes, nameEnd + 2);
    if (type === stringType) {
      headers.set(bytes.toString('utf8', at + 1, nameEnd), bytes.toString('utf8', valueStart, valueStart + length));
    }
    at = valueStart + length;
  }
  if (at > bytes.length) throw new EventStreamError('The event stream is damaged: a header exceeds its frame');
  return headers;
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new EventStreamError('The event stream is damaged: a header exceeds its frame');
  return byte;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 as gzip has it; that of `node:zlib` would be an import of Node's. */
function crc32(bytes: Buffer, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at++) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
