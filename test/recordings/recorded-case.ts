import { readdirSync, readFileSync } from 'node:fs';
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
  /** Empty where it was not recorded. */
  request: Json;
  file: string;
  /** The bytes of the answer, as they came from the network. */
  body: Buffer;
  chunkSizes: number[];
  /** Why it cannot be replayed, when it cannot. */
  problem?: string;
};

/** Every case below a folder of recordings. What is not a case of its format is one with a problem. */
export function readCases(folder: string): RecordedCase[] {
  return foldersIn(folder).flatMap((vendor) =>
    foldersIn(join(folder, vendor)).map((name) => readCase(folder, vendor, name)),
  );
}

function foldersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

function readCase(folder: string, vendor: string, name: string): RecordedCase {
  const file = (part: string) => readOrNothing(join(folder, vendor, name, part));
  const description = parsed(file('meta.json')?.toString('utf8') ?? '');
  const meta = object(description);
  const response = text(meta['response_file']);
  const bytes = response === '' ? undefined : file(response);
  const status = Number(meta['status']);
  const problem = problemOf({ description, file: response, bytes, status });
  return {
    name: `${vendor}/${name}`,
    vendor: text(meta['vendor']) || vendor,
    api: text(meta['api']),
    model: text(meta['model']) || 'model',
    stream: meta['stream'] === true,
    features: Array.isArray(meta['features']) ? meta['features'].map(String) : [],
    status,
    headers: headersOf(meta['response_headers']),
    request: object(parsed(file('request.json')?.toString('utf8') ?? '')),
    file: response,
    body: response.endsWith('.b64')
      ? Buffer.from(bytes?.toString('latin1') ?? '', 'base64')
      : (bytes ?? Buffer.alloc(0)),
    chunkSizes: Array.isArray(meta['chunk_sizes']) ? meta['chunk_sizes'].map(Number).filter((size) => size > 0) : [],
    ...(problem ? { problem } : {}),
  };
}

type Found = { description: unknown; file: string; bytes: Buffer | undefined; status: number };

function problemOf(found: Found): string | undefined {
  if (found.description === undefined) return 'it has no meta.json that can be read';
  if (found.bytes === undefined) return 'it has no answer: the file that meta.json names is not there';
  if (found.file.endsWith('.json') && typeof (parsed(found.bytes.toString('utf8')) ?? '') !== 'object') {
    return 'its answer is not the JSON that the file is named for';
  }
  return found.status >= 200 && found.status <= 599 ? undefined : 'meta.json tells no HTTP status';
}

function readOrNothing(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function headersOf(headers: unknown): Record<string, string> {
  const entries = Object.entries(object(headers)).map(([name, value]) => [name.toLowerCase(), String(value)]);
  return Object.fromEntries(entries);
}
