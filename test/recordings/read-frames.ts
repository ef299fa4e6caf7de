import { type Json, object, parsed } from './json.ts';

/** An event of a stream: its name and its data as JSON. */
export type Frame = { event: string; data: Json };

/** The events of a whole server-sent stream; what is no JSON, such as the end marker, is left out. */
export function readSse(bytes: Buffer): Frame[] {
  return bytes
    .toString('utf8')
    .replaceAll('\r\n', '\n')
    .split('\n\n')
    .flatMap((block) => {
      const lines = block.split('\n');
      const of = (field: string) =>
        lines
          .filter((line) => line.startsWith(`${field}:`))
          .map((line) => line.slice(field.length + 1).replace(/^ /, ''));
      const value = parsed(of('data').join('\n'));
      return typeof value === 'object' && value !== null ? [{ event: of('event')[0] ?? '', data: object(value) }] : [];
    });
}

/** The frames of a whole `application/vnd.amazon.eventstream`; their checksums are the recorder's business. */
export function readAwsFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at + 16 <= bytes.length; at += bytes.readUInt32BE(at)) {
    const headersEnd = at + 12 + bytes.readUInt32BE(at + 4);
    const headers = textHeaders(bytes.subarray(at + 12, headersEnd));
    const payload = bytes.toString('utf8', headersEnd, at + bytes.readUInt32BE(at) - 4);
    frames.push({ event: headers[':event-type'] ?? headers[':exception-type'] ?? '', data: object(parsed(payload)) });
  }
  return frames;
}

/** All headers in these frames are texts: name length, name, type 7, value length, value. */
function textHeaders(bytes: Buffer): Record<string, string> {
  const headers: Record<string, string> = {};
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const valueEnd = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
    headers[bytes.toString('utf8', at + 1, nameEnd)] = bytes.toString('utf8', nameEnd + 3, valueEnd);
    at = valueEnd;
  }
  return headers;
}
