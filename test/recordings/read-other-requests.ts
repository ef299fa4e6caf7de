import { type Json, object, objects, text } from './json.ts';
import { jsonOr, thinksOf } from './read-openai-requests.ts';
import { inputOf } from './reading.ts';
import { mediaOf, newRequestReading, numbersOf, outlineOf, type RequestReading, resultOf } from './request-reading.ts';

const jsonAnswerTool = 'sluice_json_answer';
const samplers = { temperature: 'temperature', top_p: 'top_p', top_k: 'top_k' };

/** A body of Anthropic's Messages. */
export function readMessagesRequest(body: Json): RequestReading {
  const reading = newRequestReading();
  const { system, tool_choice: choice, output_config: config, output_format: olderFormat } = body;
  reading.system = typeof system === 'string' ? [system] : objects(system).map((block) => text(block['text']));
  for (const { role, content } of objects(body['messages'])) {
    const side = role === 'assistant' ? 'assistant' : role === 'system' ? 'system' : 'user';
    if (typeof content === 'string') reading[side].push(content);
    else for (const block of objects(content)) readBlock(block, side, reading);
  }
  for (const { type, name, input_schema: schema } of objects(body['tools'])) {
    if (name === jsonAnswerTool) reading.format = outlineOf(schema);
    else if (type === undefined || type === 'custom') reading.tools[text(name)] = outlineOf(schema);
    else reading.others.push('tools');
  }
  const { type, name } = object(choice);
  if (name !== jsonAnswerTool) reading.choice = type === 'any' ? 'required' : text(name) || text(type) || undefined;
  const format = object(object(config)['format'] ?? olderFormat);
  if (format['type'] === 'json_schema') reading.format = outlineOf(format['schema']);
  const { type: thinking } = object(body['thinking']);
  reading.thinks = thinking === undefined ? thinksOf(object(config)['effort']) : thinking !== 'disabled';
  reading.stop = Array.isArray(body['stop_sequences']) ? body['stop_sequences'] : [];
  reading.numbers = numbersOf(body, { ...samplers, max_tokens: 'max_tokens' });
  return reading;
}

type Side = 'system' | 'user' | 'assistant';

function readBlock(block: Json, side: Side, reading: RequestReading): void {
  const { type, source } = block;
  const { type: kind, data: held, url, file_id: id } = object(source);
  const data = kind === 'text' ? Buffer.from(text(held)).toString('base64') : held;
  if (type === 'text') reading[side].push(text(block['text']));
  else if (type === 'image') reading.media.push(mediaOf('image', data ?? url ?? id));
  else if (type === 'document') reading.media.push(mediaOf('file', data ?? url ?? id));
  else if (type === 'tool_use') reading.calls.push({ name: text(block['name']), input: block['input'] ?? {} });
  else if (type === 'tool_result') {
    const { content } = block;
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content);
    reading.results.push(resultOf(blocks.flatMap(blockText).join('\n')));
    for (const one of objects(content)) if (blockText(one).length === 0) readBlock(one, 'user', reading);
  } else if (type !== 'thinking' && type !== 'redacted_thinking') reading.others.push(text(type));
}

/** Text, and what was found by a search. */
function blockText({ type, text: written, title, source, content }: Json): string[] {
  if (type === 'text') return [text(written)];
  return type === 'search_result'
    ? [[title, source, ...objects(content).map((one) => one['text'])].map(text).join('\n')]
    : [];
}

/** The same field in either of the forms that Google's servers take. */
function either(from: Json, name: string): unknown {
  return from[name] ?? from[name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/** A body of `generateContent`. */
export function readGeminiRequest(body: Json): RequestReading {
  const reading = newRequestReading();
  const system = either(body, 'systemInstruction');
  const { parts } = object(system);
  reading.system =
    typeof system === 'string'
      ? [system]
      : (Array.isArray(parts) ? objects(parts) : [object(parts)]).flatMap((part) => text(part['text']) || []);
  const contents = Array.isArray(body['contents']) ? objects(body['contents']) : [object(body['contents'])];
  for (const { role, parts } of contents) {
    for (const part of Array.isArray(parts) ? objects(parts) : [object(parts)])
      readGeminiPart(part, role === 'model' ? 'assistant' : 'user', reading);
  }
  for (const tool of objects(body['tools'])) {
    const declared = objects(either(tool, 'functionDeclarations'));
    for (const one of declared) {
      const schema = either(one, 'parametersJsonSchema') ?? one['parameters'];
      reading.tools[text(one['name'])] = outlineOf(schema);
    }
    if (declared.length === 0) reading.others.push('tools');
  }
  const calling = object(either(object(either(body, 'toolConfig')), 'functionCallingConfig'));
  const names = either(calling, 'allowedFunctionNames');
  const modes: Record<string, string> = { AUTO: 'auto', ANY: 'required', NONE: 'none', VALIDATED: 'auto' };
  reading.choice = Array.isArray(names) && names.length === 1 ? String(names[0]) : modes[text(calling['mode'])];
  readGenerationConfig(object(either(body, 'generationConfig')), reading);
  return reading;
}

function readGenerationConfig(config: Json, reading: RequestReading): void {
  const schema = either(config, 'responseJsonSchema') ?? either(config, 'responseSchema');
  if (either(config, 'responseMimeType') === 'application/json') reading.format = schema ? outlineOf(schema) : 'json';
  const thinking = object(either(config, 'thinkingConfig'));
  const budget = either(thinking, 'thinkingBudget');
  if (either(thinking, 'thinkingLevel') !== undefined) reading.thinks = true;
  else if (typeof budget === 'number') reading.thinks = budget !== 0;
  const stop = either(config, 'stopSequences');
  reading.stop = Array.isArray(stop) ? stop.map(String) : [];
  reading.numbers = numbersOf(
    Object.fromEntries(
      ['topP', 'topK', 'maxOutputTokens', 'candidateCount', 'frequencyPenalty', 'presencePenalty']
        .map((name): [string, unknown] => [name, either(config, name)])
        .concat(Object.entries(config)),
    ),
    {
      ...{ temperature: 'temperature', top_p: 'topP', top_k: 'topK', seed: 'seed', max_tokens: 'maxOutputTokens' },
      ...{ n: 'candidateCount', frequency_penalty: 'frequencyPenalty', presence_penalty: 'presencePenalty' },
    },
  );
}

function readGeminiPart(part: Json, side: Side, reading: RequestReading): void {
  const [call, result] = [object(either(part, 'functionCall')), object(either(part, 'functionResponse'))];
  const [inline, file] = [object(either(part, 'inlineData')), object(either(part, 'fileData'))];
  if (call['name']) reading.calls.push({ name: text(call['name']), input: call['args'] ?? {} });
  else if (result['name']) {
    reading.results.push(resultOf(result['response']));
    for (const one of objects(result['parts'])) readGeminiPart(one, 'user', reading);
  } else if (inline['data'] || file['fileUri'] || file['file_uri']) {
    const type = text(either(inline, 'mimeType')) || text(either(file, 'mimeType'));
    const kind = type.startsWith('image/') ? 'image' : type.startsWith('audio/') ? 'audio' : 'file';
    reading.media.push(mediaOf(kind, inline['data'] ?? either(file, 'fileUri')));
  } else if (typeof part['text'] === 'string') {
    if (part['thought'] !== true && part['text'] !== '') reading[side].push(part['text']);
  } else if (Object.keys(part).some((key) => !/^thought_?signature$/i.test(key))) reading.others.push('contents');
}

/** A body of Bedrock's Converse. */
export function readConverseRequest(body: Json): RequestReading {
  const reading = newRequestReading();
  reading.system = objects(body['system']).flatMap((block) => text(block['text']) || []);
  for (const { role, content } of objects(body['messages'])) {
    for (const block of objects(content))
      readConverseBlock(block, role === 'assistant' ? 'assistant' : 'user', reading);
  }
  const { tools, toolChoice } = object(body['toolConfig']);
  for (const tool of objects(tools)) {
    const { name, inputSchema } = object(tool['toolSpec']);
    if (name) reading.tools[text(name)] = outlineOf(object(inputSchema)['json']);
  }
  const { auto, any, tool } = object(toolChoice);
  const fields = object(body['additionalModelRequestFields']);
  const claude = object(fields['tool_choice']);
  const claudes = claude['type'] === 'any' ? 'required' : text(claude['name']) || text(claude['type']);
  reading.choice = auto ? 'auto' : any ? 'required' : text(object(tool)['name']) || claudes || undefined;
  const { jsonSchema } = object(object(object(body['outputConfig'])['textFormat'])['structure']);
  if (jsonSchema) reading.format = outlineOf(jsonOr(object(jsonSchema)['schema']));
  const { type } = object(fields['thinking'] ?? fields['reasoningConfig']);
  if (type !== undefined) reading.thinks = type !== 'disabled';
  const config = object(body['inferenceConfig']);
  reading.stop = Array.isArray(config['stopSequences']) ? config['stopSequences'] : [];
  reading.numbers = numbersOf(
    { ...fields, ...config },
    { temperature: 'temperature', top_p: 'topP', top_k: 'top_k', max_tokens: 'maxTokens' },
  );
  return reading;
}

function readConverseBlock(block: Json, side: Side, reading: RequestReading): void {
  const { toolUse, toolResult, image, document, audio, video } = block;
  if (typeof block['text'] === 'string') reading[side].push(block['text']);
  else if (toolUse) reading.calls.push({ name: text(object(toolUse)['name']), input: object(toolUse)['input'] ?? {} });
  else if (toolResult) {
    const content = objects(object(toolResult)['content']);
    const said = content.flatMap(({ text: written, json }) => (json ? [JSON.stringify(json)] : text(written) || []));
    reading.results.push(resultOf(said.join('\n')));
    for (const one of content) if (one['text'] === undefined && !one['json']) readConverseBlock(one, 'user', reading);
  } else if (image || document || audio || video) {
    const held = object(object(image ?? document ?? audio ?? video)['source']);
    const source =
      held['bytes'] ?? object(held['s3Location'])['uri'] ?? Buffer.from(text(held['text'])).toString('base64');
    reading.media.push(mediaOf(image ? 'image' : audio ? 'audio' : 'file', source));
  }
}

/** A prediction of Replicate: everything that was said in one prompt. */
export function readReplicateRequest(body: Json): RequestReading {
  const input = object(body['input']);
  const reading = newRequestReading();
  reading.user = [text(input['prompt'])];
  reading.system = [text(input['system_prompt'])];
  if (input['image'] !== undefined) reading.media.push(mediaOf('image', input['image']));
  reading.stop = text(input['stop_sequences'])
    .split(',')
    .filter((one) => one !== '');
  const names = ['temperature', 'top_p', 'top_k', 'seed', 'frequency_penalty', 'presence_penalty', 'max_tokens'];
  reading.numbers = numbersOf(input, Object.fromEntries(names.map((name) => [name, name])));
  return reading;
}

/** A body of Cohere's `POST /v2/chat`. */
export function readCohereRequest(body: Json): RequestReading {
  const reading = newRequestReading();
  for (const { role, content, tool_plan: plan, tool_calls: calls } of objects(body['messages'])) {
    const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : objects(content);
    if (role === 'tool') reading.results.push(resultOf(parts.map(cohereResult).join('\n')));
    const side = role === 'assistant' ? 'assistant' : role === 'system' ? 'system' : 'user';
    if (typeof plan === 'string') reading[side].push(plan);
    for (const part of role === 'tool' ? [] : parts) {
      const { image_url: image, text: written } = part as Json;
      if (typeof written === 'string') reading[side].push(written);
      else if (image) reading.media.push(mediaOf('image', object(image)['url']));
    }
    for (const call of objects(calls)) {
      const { name, arguments: written } = object(call['function']);
      reading.calls.push({ name: text(name), input: inputOf(text(written)) });
    }
  }
  for (const document of objects(body['documents'])) {
    const written = text(object(document['data'])['text']);
    reading.media.push(mediaOf('file', Buffer.from(written).toString('base64')));
  }
  for (const tool of objects(body['tools'])) {
    const { name, parameters } = object(tool['function']);
    reading.tools[text(name)] = outlineOf(parameters);
  }
  reading.choice = text(body['tool_choice']).toLowerCase() || undefined;
  const { type, json_schema: schema } = object(body['response_format']);
  if (type === 'json_object') reading.format = schema ? outlineOf(schema) : 'json';
  const thinking = object(body['thinking'])['type'];
  if (thinking !== undefined) reading.thinks = thinking !== 'disabled';
  reading.stop = Array.isArray(body['stop_sequences']) ? body['stop_sequences'] : [];
  const names = ['temperature', 'seed', 'frequency_penalty', 'presence_penalty', 'max_tokens'];
  const same = Object.fromEntries(names.map((name) => [name, name]));
  reading.numbers = numbersOf(body, { ...same, top_p: 'p', top_k: 'k' });
  return reading;
}

function cohereResult(part: Json): string {
  const { document } = part;
  return document ? JSON.stringify(object(document)['data']) : text(part['text']);
}
