import { crc32 } from 'node:zlib';

/** One frame of `application/vnd.amazon.eventstream` whose headers are all text. */
export function awsFrame(headers: Readonly<Record<string, string>>, payload: string | Uint8Array): Buffer {
  const named = Object.entries(headers).map(([name, value]) => textHeader(name, value));
  return rawAwsFrame(Buffer.concat(named), Buffer.from(payload));
}

/** A frame with headers as bytes, for those that are no text. */
export function rawAwsFrame(headers: Buffer, payload: Buffer): Buffer {
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const unchecked = Buffer.concat([prelude, headers, payload]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(unchecked));
  return Buffer.concat([unchecked, checksum]);
}

/** An event as ConverseStream sends it. */
export function awsEvent(type: string, body: object): Buffer {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' };
  return awsFrame(headers, JSON.stringify({ ...body, p: 'abcdefgh' }));
}

/** A failure in the middle of a stream. */
export function awsException(type: string, body: object): Buffer {
  const headers = { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' };
  return awsFrame(headers, JSON.stringify(body));
}

/** The pieces of a stream, as a connection would bring them. */
export async function* piecesOf(...pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

function textHeader(name: string, value: string): Buffer {
  const [nameBytes, valueBytes] = [Buffer.from(name), Buffer.from(value)];
  const length = Buffer.alloc(2);
  length.writeUInt16BE(valueBytes.length);
  return Buffer.concat([Buffer.from([nameBytes.length]), nameBytes, Buffer.from([7]), length, valueBytes]);
}
