import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Json, object, parsed, text } from './json.ts';

/** One recorded exchange with a vendor. */
export type RecordedCase = {
  /** `vendor/case`. */
  name: string;
  vendor: string;
  api: string;
  model: string;
  stream: boolean;
  features: string[];
  status: number;
  headers: Record<string, string>;
  request: Json;
  file: string;
  /** The bytes of the answer, as they came from the network. */
  body: Buffer;
  chunkSizes: number[];
};

/** Every case below a folder of recordings. */
export function readCases(folder: string): RecordedCase[] {
  return foldersIn(folder).flatMap((vendor) =>
    foldersIn(join(folder, vendor)).map((name) => readCase(folder, `${vendor}/${name}`)),
  );
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory());
}

function readCase(folder: string, name: string): RecordedCase {
  const file = (part: string) => readFileSync(join(folder, name, part));
  const meta = object(parsed(file('meta.json').toString('utf8')));
  const response = text(meta['response_file']);
  const bytes = file(response);
  return {
    name,
    vendor: text(meta['vendor']),
    api: text(meta['api']),
    model: text(meta['model']) || 'model',
    stream: meta['stream'] === true,
    features: Array.isArray(meta['features']) ? meta['features'].map(String) : [],
    status: Number(meta['status']),
    headers: object(meta['response_headers']) as Record<string, string>,
    request: object(parsed(file('request.json').toString('utf8'))),
    file: response,
    body: response.endsWith('.b64') ? Buffer.from(bytes.toString('latin1'), 'base64') : bytes,
    chunkSizes: Array.isArray(meta['chunk_sizes']) ? meta['chunk_sizes'].map(Number) : [],
  };
}
