import type { Message, Part, ReasoningPart, TextPart, ToolResultPart } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { decodeMedia } from './media.ts';
import { unwrapSecrets } from './signature.ts';

/** The messages in `contents`; `isWhole` is false when some of it has no place in the vocabulary. */
export type DecodedContents = { messages: Message[]; isWhole: boolean };

/** Calls that wait for their results; older models give them no ids, so results find theirs by the name. */
type Calls = { count: number; open: { id: string; name: string }[] };

type DecodedParts = { parts: Part[]; isWhole: boolean };

const knownFields = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
]);

/** Reads `contents`, a list or a single one, with field names in camelCase. */
export function decodeContents(contents: unknown): DecodedContents {
  const list = Array.isArray(contents) ? contents : [contents];
  const calls: Calls = { count: 0, open: [] };
  const messages: { role: 'user' | 'assistant'; parts: Part[] }[] = [];
  let isWhole = true;
  list.forEach((content, index) => {
    const at = `contents[${index}]`;
    if (!isObject(content)) throw new RequestProblem(`${at} must be an object.`, at);
    const role = decodeRole(content['role'], at);
    const decoded = decodeParts(content['parts'], `${at}.parts`, calls);
    isWhole &&= decoded.isWhole;
    const last = messages.at(-1);
    // A streamed answer comes back in as many contents as it had events.
    if (role === 'assistant' && last?.role === role) last.parts.push(...decoded.parts);
    else messages.push({ role, parts: decoded.parts });
  });
  return {
    messages: messages.map(({ role, parts }) => ({ role, parts: role === 'assistant' ? joinPieces(parts) : parts })),
    isWhole,
  };
}

function decodeRole(role: unknown, at: string): 'user' | 'assistant' {
  if (role === 'model') return 'assistant';
  if (role === undefined || role === '' || role === 'user' || role === 'function') return 'user';
  throw new RequestProblem(`${at}.role must be user or model.`, `${at}.role`);
}

function decodeParts(parts: unknown, at: string, calls: Calls): DecodedParts {
  const list = Array.isArray(parts) ? parts : parts === undefined ? [] : [parts];
  const decoded = list.map((part, index) => {
    if (!isObject(part)) throw new RequestProblem(`${at}[${index}] must be an object.`, `${at}[${index}]`);
    return decodePart(part, calls);
  });
  return { parts: decoded.flatMap((one) => one.parts), isWhole: decoded.every((one) => one.isWhole) };
}

function decodePart(part: JsonObject, calls: Calls): DecodedParts {
  const isKnown = Object.keys(part).every((key) => knownFields.has(key));
  const { text, functionCall, functionResponse, thoughtSignature } = part;
  if (isObject(functionCall))
    return decodeCall(functionCall, unwrapSecrets(thoughtSignature).signature, calls, isKnown);
  if (isObject(functionResponse)) {
    const result = decodeResult(functionResponse, calls);
    return { parts: [result.part], isWhole: isKnown && result.isWhole };
  }
  const media = decodeMedia(part);
  if (media) return { parts: [media], isWhole: isKnown && thoughtSignature === undefined && isMediaWhole(part) };
  const secrets = unwrapSecrets(thoughtSignature);
  const hasSecrets = Object.keys(secrets).length > 0;
  const written = typeof text === 'string' ? text : '';
  if (part['thought'] === true) return { parts: [{ type: 'reasoning', text: written, ...secrets }], isWhole: isKnown };
  const ran = written === '' ? ranCode(part) : undefined;
  const texts: TextPart[] = (ran ?? written) === '' ? [] : [{ type: 'text', text: ran ?? written }];
  const thoughts: ReasoningPart[] = hasSecrets && isKnown ? [{ type: 'reasoning', text: '', ...secrets }] : [];
  return { parts: [...texts, ...thoughts], isWhole: isKnown };
}

/** Code that ran at Google, and what came of it, as other models can read it. */
function ranCode({ executableCode: code, codeExecutionResult: result }: JsonObject): string | undefined {
  if (isObject(code) && typeof code['code'] === 'string') return `\n\`\`\`python\n${code['code']}\n\`\`\`\n`;
  return isObject(result) ? `\n\`\`\`\n${stringOrUndefined(result['output']) ?? ''}\n\`\`\`\n` : undefined;
}

/** A URL part has no place for the type of what is there, so it must be the one that the URL tells. */
function isMediaWhole({ fileData }: JsonObject): boolean {
  if (!isObject(fileData)) return true;
  const again = decodeMedia({ fileData: { fileUri: fileData['fileUri'] } });
  const type = stringOrUndefined(fileData['mimeType']);
  return type === undefined || (again?.type === 'image') === type.startsWith('image/');
}

function decodeCall(call: JsonObject, signature: string | undefined, calls: Calls, isKnown: boolean): DecodedParts {
  const name = stringOrUndefined(call['name']);
  if (!name) return { parts: [], isWhole: false };
  const id = stringOrUndefined(call['id']) ?? `call_${calls.count}`;
  calls.count++;
  calls.open.push({ id, name });
  const written = JSON.stringify(isObject(call['args']) ? call['args'] : {});
  return {
    parts: [{ type: 'tool-call', id, name, arguments: written, ...(signature ? { signature } : {}) }],
    isWhole: isKnown && Object.keys(call).every((key) => key === 'id' || key === 'name' || key === 'args'),
  };
}

function decodeResult(result: JsonObject, calls: Calls): { part: ToolResultPart; isWhole: boolean } {
  const name = stringOrUndefined(result['name']);
  const id = stringOrUndefined(result['id']);
  const at = calls.open.findIndex((call) => (id === undefined ? call.name === name : call.id === id));
  const [call] = at < 0 ? [] : calls.open.splice(at, 1);
  const { text, isError } = decodeAnswer(result['response']);
  const parts = Array.isArray(result['parts']) ? result['parts'] : [];
  const media = parts.filter(isObject).map(decodeMedia);
  const usable = media.filter((part) => part?.type === 'image' || part?.type === 'file');
  const named = name ?? call?.name;
  return {
    part: {
      type: 'tool-result',
      callId: id ?? call?.id ?? `call_${name ?? ''}`,
      ...(named ? { name: named } : {}),
      content: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...usable],
      ...(isError ? { isError } : {}),
    },
    isWhole:
      usable.length === parts.length &&
      Object.keys(result).every((key) => ['id', 'name', 'response', 'parts'].includes(key)),
  };
}

/** What a tool said: the documented keys `output` and `error` when one stands alone, else the whole object. */
function decodeAnswer(response: unknown): { text: string; isError: boolean } {
  if (!isObject(response)) return { text: response === undefined ? '' : JSON.stringify(response), isError: false };
  const keys = Object.keys(response);
  const [key] = keys;
  if (keys.length !== 1 || (key !== 'output' && key !== 'error'))
    return { text: JSON.stringify(response), isError: false };
  const said = response[key];
  return { text: typeof said === 'string' ? said : JSON.stringify(said), isError: key === 'error' };
}

/** Pieces of a text, and pieces of a thought up to its signature, belong together. */
function joinPieces(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === 'text' && last?.type === 'text')
      joined[joined.length - 1] = { ...last, text: last.text + part.text };
    else if (part.type === 'reasoning' && last?.type === 'reasoning' && isOpen(last) && part.redacted === undefined)
      joined[joined.length - 1] = { ...last, ...part, text: last.text + part.text };
    else joined.push(part);
  }
  return joined;
}

function isOpen({ signature, redacted }: ReasoningPart): boolean {
  return signature === undefined && redacted === undefined;
}
