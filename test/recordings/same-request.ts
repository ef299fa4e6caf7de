import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import type { Json } from './json.ts';

const paths: Readonly<Partial<Record<DialectName, string>>> = {
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  'anthropic-messages': '/v1/messages',
};

/** Sends a recorded body to the gateway as its caller wrote it, every member on lines of its own, and gives its text. */
export async function sendAsRecorded(
  url: string,
  body: Json,
  { client, model, stream }: { client: DialectName; model: string; stream: boolean },
): Promise<string> {
  const isGemini = client === 'gemini';
  const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent';
  const path = isGemini ? `/v1beta/models/${model}:${method}` : paths[client];
  const text = withIds(JSON.stringify(isGemini ? body : { ...body, model, stream }, undefined, 1));
  const headers = { authorization: 'Bearer key', 'content-type': 'application/json' };
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: text });
  await answer.arrayBuffer();
  return text;
}

/** Some recorders put numbers in the place of ids; these have a form that every vendor takes back. */
function withIds(text: string): string {
  return text.replaceAll(/call_REDACTED_(\d+)/g, (_, number: string) => `id${number.padStart(7, '0')}`);
}

/** What may differ: the model's name, OpenAI's way to ask for usage, and where Google wants the version. */
const touched = new Set(['model', 'stream_options', 'anthropic_version']);

/** Which members of a request arrived at a vendor of the same dialect otherwise than they were sent. */
export function changedMembers(sent: string, arrived: string | undefined): string[] {
  if (arrived === undefined) return ['the request did not arrive'];
  const [before, after] = [membersOf(sent), membersOf(arrived)];
  const names = [...new Set([...before.keys(), ...after.keys()])].filter((name) => !touched.has(name));
  const changed = names.filter((name) => before.get(name) !== after.get(name));
  return changed.map((name) => `"${name}" did not arrive as it was sent`);
}

/** The members of an object that stands one member to a line, each as its bytes. */
function membersOf(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let name = '';
  for (const line of text.split('\n').slice(1)) {
    const [, begun] = /^ "([^"]+)":/.exec(line) ?? [];
    if (begun === undefined && /^\}?$/.test(line)) continue;
    name = begun ?? name;
    members.set(name, begun === undefined ? `${members.get(name)}\n${line}` : line);
  }
  for (const [key, written] of members) members.set(key, written.trimEnd().replace(/,$/, ''));
  return members;
}
