import { type Json, number, object, objects, text } from './json.ts';
import { type Choice, choiceAt, type Reading, type Tokens } from './reading.ts';

/** The responses of a stream, or the one of a buffered answer. */
export function readGemini(responses: readonly Json[]): Reading {
  const reading: Reading = { choices: [] };
  const open = new Map<number, Json>();
  for (const response of responses) {
    if (response['error']) return { ...reading, error: { message: text(object(response['error'])['message']) } };
    for (const [position, candidate] of objects(response['candidates']).entries()) {
      const index = typeof candidate['index'] === 'number' ? candidate['index'] : position;
      const choice = choiceAt(reading, index);
      for (const part of objects(object(candidate['content'])['parts'])) readPart(choice, part, { open, index });
      const reason = text(candidate['finishReason'] ?? '') || numbered[number(candidate['finishReason'])];
      if (reason) choice.finish = finish(reason, choice);
    }
    const { blockReason, blockReasonMessage } = object(response['promptFeedback']);
    if (blockReason)
      Object.assign(choiceAt(reading, 0), { finish: 'content_filter', refusal: text(blockReasonMessage) });
    reading.usage = tokens(object(response['usageMetadata'])) ?? reading.usage;
  }
  return reading;
}

/** Reasons by number, as some answers have them. */
const numbered = ['', 'STOP', 'MAX_TOKENS', 'SAFETY', 'RECITATION', 'OTHER'];

function finish(reason: string, { calls }: Choice): Choice['finish'] {
  if (reason === 'MAX_TOKENS') return 'length';
  if (reason !== 'STOP') return 'content_filter';
  return calls.length > 0 ? 'tool_calls' : 'stop';
}

type Calls = { open: Map<number, Json>; index: number };

function readPart(choice: Choice, part: Json, { open, index }: Calls): void {
  if (part['thought'] === true) choice.reasoning += text(part['text']);
  else choice.text += text(part['text']);
  if (!part['functionCall']) return;
  const call = object(part['functionCall']);
  const begun = open.get(index);
  const input = begun ?? object(call['args']);
  if (!begun) choice.calls.push({ id: text(call['id']), name: text(call['name']), input });
  for (const piece of objects(call['partialArgs'])) addPiece(input, piece);
  if (call['willContinue']) open.set(index, input);
  else open.delete(index);
}

/** A piece of arguments: a path such as `$.list[0].name`, and a value, texts of which come in several. */
function addPiece(input: Json, piece: Json): void {
  const path = [...text(piece['jsonPath']).matchAll(/[^$.[\]']+/g)].map(([step]) => step);
  const last = path.pop();
  if (last === undefined) return;
  let at = input;
  for (const [position, step] of path.entries()) {
    at[step] ??= /^\d+$/.test(path[position + 1] ?? last) ? [] : {};
    at = at[step] as Json;
  }
  if ('stringValue' in piece) at[last] = text(at[last]) + text(piece['stringValue']);
  else at[last] = 'numberValue' in piece ? piece['numberValue'] : (piece['boolValue'] ?? null);
}

function tokens(usage: Json): Tokens | undefined {
  if (usage['promptTokenCount'] === undefined && usage['totalTokenCount'] === undefined) return undefined;
  const reasoning = number(usage['thoughtsTokenCount']);
  return {
    input: number(usage['promptTokenCount']) + number(usage['toolUsePromptTokenCount']),
    output: number(usage['candidatesTokenCount']) + reasoning,
    cached: number(usage['cachedContentTokenCount']),
    reasoning,
  };
}
