import { type Json, object, objects, parsed, text } from './json.ts';
import { inputOf } from './reading.ts';
import { mediaOf, newRequestReading, numbersOf, outlineOf, type RequestReading, resultOf } from './request-reading.ts';

/** A body of OpenAI's chat. */
export function readChatRequest(body: Json): RequestReading {
  const reading = newRequestReading();
  for (const message of objects(body['messages'])) readMessage(message, reading);
  const legacy = objects(body['functions']).map((one) => ({ function: one }));
  for (const tool of [...objects(body['tools']), ...legacy]) {
    const { name, parameters } = object(tool['function']);
    if (typeof name === 'string') reading.tools[name] = outlineOf(parameters);
    else reading.others.push('tools');
  }
  reading.choice = choiceOf(body['tool_choice'] ?? body['function_call']);
  const format = object(body['response_format']);
  if (format['type'] === 'json_object') reading.format = 'json';
  if (format['type'] === 'json_schema') reading.format = outlineOf(object(format['json_schema'])['schema']);
  reading.stop = typeof body['stop'] === 'string' ? [body['stop']] : Array.isArray(body['stop']) ? body['stop'] : [];
  const { effort, max_tokens: budget } = object(body['reasoning']);
  const { type: thinking, budget_tokens: ownBudget } = object(body['thinking']);
  reading.thinks = thinksOf(body['reasoning_effort'] ?? effort) ?? (budget !== undefined || undefined);
  if (thinking === 'disabled' || ownBudget !== undefined) reading.thinks = thinking !== 'disabled';
  const limit = { max_tokens: body['max_completion_tokens'] === undefined ? 'max_tokens' : 'max_completion_tokens' };
  const names = ['temperature', 'top_p', 'top_k', 'seed', 'n', 'frequency_penalty', 'presence_penalty'];
  reading.numbers = numbersOf(body, { ...limit, ...Object.fromEntries(names.map((name) => [name, name])) });
  return reading;
}

export function thinksOf(effort: unknown): boolean | undefined {
  return typeof effort === 'string' ? effort !== 'none' : undefined;
}

function choiceOf(choice: unknown): string | undefined {
  if (typeof choice === 'string') return choice;
  const { function: called, name } = object(choice);
  return text(object(called)['name']) || text(name) || undefined;
}

function readMessage(message: Json, reading: RequestReading): void {
  const { role, content } = message;
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content);
  if (role === 'tool' || role === 'function') {
    reading.results.push(resultOf(parts.map((part) => text((part as Json)['text'])).join('\n')));
    return;
  }
  const side = role === 'assistant' ? 'assistant' : role === 'user' ? 'user' : 'system';
  for (const part of parts) readPart(part, side, reading);
  const legacy = message['function_call'] ? [{ function: message['function_call'] }] : [];
  for (const call of [...objects(message['tool_calls']), ...legacy]) {
    const { name, arguments: written } = object(call['function']);
    if (typeof name === 'string') reading.calls.push({ name, input: inputOf(text(written)) });
    else reading.others.push('tool_calls');
  }
}

function readPart(part: Json, side: 'system' | 'user' | 'assistant', reading: RequestReading): void {
  const { image_url: image, input_audio: audio, document_url: document, file } = part;
  if (typeof part['text'] === 'string') reading[side].push(part['text']);
  else if (image) reading.media.push(mediaOf('image', typeof image === 'string' ? image : object(image)['url']));
  else if (audio) reading.media.push(mediaOf('audio', typeof audio === 'string' ? audio : object(audio)['data']));
  else if (document) reading.media.push(mediaOf('file', document));
  else if (part['type'] === 'file_url') reading.media.push(mediaOf('file', object(part['file_url'])['url']));
  else if (file) reading.media.push(mediaOf('file', object(file)['file_data'] ?? object(file)['file_id']));
  else if (part['type'] !== 'refusal' && part['type'] !== 'thinking') reading.others.push(text(part['type']));
}

/** A body of OpenAI's Responses. */
export function readResponsesRequest(body: Json): RequestReading {
  const reading = newRequestReading();
  if (typeof body['instructions'] === 'string') reading.system.push(body['instructions']);
  if (typeof body['input'] === 'string') reading.user.push(body['input']);
  else for (const item of objects(body['input'])) readItem(item, reading);
  for (const { type, name, parameters } of objects(body['tools'])) {
    if (type === 'function' && typeof name === 'string') reading.tools[name] = outlineOf(parameters);
    else reading.others.push('tools');
  }
  reading.choice = choiceOf(body['tool_choice']);
  const { type, schema } = object(object(body['text'])['format']);
  if (type === 'json_object') reading.format = 'json';
  if (type === 'json_schema') reading.format = outlineOf(schema);
  reading.thinks = thinksOf(object(body['reasoning'])['effort']);
  reading.numbers = numbersOf(body, { temperature: 'temperature', top_p: 'top_p', max_tokens: 'max_output_tokens' });
  return reading;
}

function readItem(item: Json, reading: RequestReading): void {
  const { type = 'message', role, content, name, arguments: written, output } = item;
  if (type === 'message') {
    const side = role === 'assistant' ? 'assistant' : role === 'user' ? 'user' : 'system';
    if (typeof content === 'string') reading[side].push(content);
    else for (const part of objects(content)) readInputPart(part, side, reading);
  } else if (type === 'function_call') reading.calls.push({ name: text(name), input: inputOf(text(written)) });
  else if (type === 'function_call_output') {
    const parts = typeof output === 'string' ? [{ text: output }] : objects(output);
    reading.results.push(resultOf(parts.flatMap((part) => text((part as Json)['text']) || []).join('\n')));
    for (const part of objects(output)) if (part['type'] !== 'input_text') readInputPart(part, 'user', reading);
  } else if (type !== 'reasoning') reading.others.push(text(type));
}

function readInputPart(part: Json, side: 'system' | 'user' | 'assistant', reading: RequestReading): void {
  const { type, image_url: image, file_id: id, file_data: data, file_url: url } = part;
  if (typeof part['text'] === 'string') reading[side].push(part['text']);
  else if (type === 'input_image') reading.media.push(mediaOf('image', image ?? id));
  else if (type === 'input_file') reading.media.push(mediaOf('file', data ?? url ?? id));
  else if (type === 'input_audio') reading.media.push(mediaOf('audio', object(part['input_audio'])['data']));
  else if (type !== 'refusal') reading.others.push(text(type));
}

/** JSON text as its value, and what is none as it stands. */
export function jsonOr(written: unknown): unknown {
  return typeof written === 'string' ? (parsed(written) ?? written) : written;
}
