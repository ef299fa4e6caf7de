import type { DialectName } from '../../../lambda/dialects/chat-request.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { placeSchema } from '../dialect-fixtures/scenarios.ts';

/** What a caller may ask for, as the columns of the matrix name it. */
export const askedFeatures = [
  ...(['system messages', 'tools', 'forced tool', 'parallel calls off', 'tool results', 'images in results'] as const),
  ...(['images', 'image URLs', 'files', 'audio', 'JSON Schema', 'JSON mode', 'reasoning effort'] as const),
  ...(['stop sequences', 'seed', 'several choices', 'logprobs', 'cache hints'] as const),
] as const;

export type AskedFeature = (typeof askedFeatures)[number];

/** For each dialect of callers a body that asks for the feature; a feature without one cannot be asked for there. */
export type ClientRequests = Partial<Record<AskedFeature, JsonObject>>;

const png = 'iVBORw0KGgo=';
const pdf = 'JVBERi0xLjQK';
const wav = 'UklGRiQAAABXQVZF';
const imageUrl = 'https://images.example/cat.png';
const hello = 'What is this?';
const city = '{"city":"Paris"}';

const user = (content: unknown): JsonObject => ({ messages: [{ role: 'user', content }] });

const chatTools = {
  tools: [{ type: 'function', function: { name: 'weather', description: 'Tells', parameters: placeSchema } }],
};
const chatCall = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: city } };
const chat: ClientRequests = {
  'system messages': { messages: [{ role: 'developer', content: 'Be brief' }, ...(user(hello)['messages'] as [])] },
  tools: { ...user(hello), ...chatTools },
  'forced tool': {
    ...user(hello),
    ...chatTools,
    tool_choice: { type: 'function', function: { name: 'weather' } },
  },
  'parallel calls off': { ...user(hello), ...chatTools, parallel_tool_calls: false },
  'tool results': {
    ...chatTools,
    messages: [
      { role: 'user', content: hello },
      { role: 'assistant', content: null, tool_calls: [chatCall] },
      { role: 'tool', tool_call_id: 'call_1', content: '18 degrees' },
    ],
  },
  images: user([
    { type: 'text', text: hello },
    { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
  ]),
  'image URLs': user([
    { type: 'text', text: hello },
    { type: 'image_url', image_url: { url: imageUrl } },
  ]),
  files: user([
    { type: 'text', text: hello },
    { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` } },
  ]),
  audio: user([
    { type: 'text', text: hello },
    { type: 'input_audio', input_audio: { data: wav, format: 'wav' } },
  ]),
  'JSON Schema': {
    ...user(hello),
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema: placeSchema, strict: true } },
  },
  'JSON mode': { ...user(hello), response_format: { type: 'json_object' } },
  'reasoning effort': { ...user(hello), reasoning_effort: 'high' },
  'stop sequences': { ...user(hello), stop: ['END'] },
  seed: { ...user(hello), seed: 7 },
  'several choices': { ...user(hello), n: 2 },
  logprobs: { ...user(hello), logprobs: true, top_logprobs: 2 },
  'cache hints': user([{ type: 'text', text: hello, cache_control: { type: 'ephemeral' } }]),
};

const responsesTools = {
  tools: [{ type: 'function', name: 'weather', description: 'Tells', parameters: placeSchema }],
};
const said = (...content: JsonObject[]): JsonObject => ({
  input: [{ role: 'user', content: [{ type: 'input_text', text: hello }, ...content] }],
});
const responsesCall = { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: city };
const responsesResult = (output: unknown): JsonObject => ({
  ...responsesTools,
  input: [{ role: 'user', content: hello }, responsesCall, { type: 'function_call_output', call_id: 'call_1', output }],
});
const responses: ClientRequests = {
  'system messages': { instructions: 'Be brief', input: hello },
  tools: { input: hello, ...responsesTools },
  'forced tool': { input: hello, ...responsesTools, tool_choice: { type: 'function', name: 'weather' } },
  'parallel calls off': { input: hello, ...responsesTools, parallel_tool_calls: false },
  'tool results': responsesResult('18 degrees'),
  'images in results': responsesResult([
    { type: 'input_text', text: '18 degrees' },
    { type: 'input_image', image_url: `data:image/png;base64,${png}` },
  ]),
  images: said({ type: 'input_image', image_url: `data:image/png;base64,${png}` }),
  'image URLs': said({ type: 'input_image', image_url: imageUrl }),
  files: said({ type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${pdf}` }),
  'JSON Schema': {
    input: hello,
    text: { format: { type: 'json_schema', name: 'place', schema: placeSchema, strict: true } },
  },
  'JSON mode': { input: hello, text: { format: { type: 'json_object' } } },
  'reasoning effort': { input: hello, reasoning: { effort: 'high' } },
  logprobs: { input: hello, include: ['message.output_text.logprobs'], top_logprobs: 2 },
};

const claudeTools = { tools: [{ name: 'weather', description: 'Tells', input_schema: placeSchema }] };
const claude = (fields: JsonObject): JsonObject => ({ max_tokens: 9, ...user(hello), ...fields });
const claudeSaid = (...content: JsonObject[]): JsonObject => claude(user([{ type: 'text', text: hello }, ...content]));
const claudeResult = (result: JsonObject): JsonObject =>
  claude({
    ...claudeTools,
    messages: [
      { role: 'user', content: hello },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Paris' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', ...result }] },
    ],
  });
const claudeImage = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } };
const messages: ClientRequests = {
  'system messages': claude({ system: 'Be brief' }),
  tools: claude(claudeTools),
  'forced tool': claude({ ...claudeTools, tool_choice: { type: 'tool', name: 'weather' } }),
  'parallel calls off': claude({ ...claudeTools, tool_choice: { type: 'auto', disable_parallel_tool_use: true } }),
  'tool results': claudeResult({ content: 'no such city', is_error: true }),
  'images in results': claudeResult({ content: [{ type: 'text', text: '18 degrees' }, claudeImage] }),
  images: claudeSaid(claudeImage),
  'image URLs': claudeSaid({ type: 'image', source: { type: 'url', url: imageUrl } }),
  files: claudeSaid({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: pdf } }),
  'JSON Schema': claude({ output_config: { format: { type: 'json_schema', schema: placeSchema } } }),
  'reasoning effort': claude({ max_tokens: 9_000, thinking: { type: 'enabled', budget_tokens: 4_096 } }),
  'stop sequences': claude({ stop_sequences: ['END'] }),
  'cache hints': claude(user([{ type: 'text', text: hello, cache_control: { type: 'ephemeral' } }])),
};

const geminiTools = {
  tools: [{ functionDeclarations: [{ name: 'weather', description: 'Tells', parametersJsonSchema: placeSchema }] }],
};
const parts = (...more: JsonObject[]): JsonObject => ({
  contents: [{ role: 'user', parts: [{ text: hello }, ...more] }],
});
const configured = (generationConfig: JsonObject): JsonObject => ({ ...parts(), generationConfig });
const geminiResult = (response: JsonObject): JsonObject => ({
  ...geminiTools,
  contents: [
    { role: 'user', parts: [{ text: hello }] },
    { role: 'model', parts: [{ functionCall: { id: 'call_1', name: 'weather', args: { city: 'Paris' } } }] },
    { role: 'user', parts: [{ functionResponse: { id: 'call_1', name: 'weather', ...response } }] },
  ],
});
const gemini: ClientRequests = {
  'system messages': { ...parts(), systemInstruction: { parts: [{ text: 'Be brief' }] } },
  tools: { ...parts(), ...geminiTools },
  'forced tool': {
    ...parts(),
    ...geminiTools,
    toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['weather'] } },
  },
  'tool results': geminiResult({ response: { output: '18 degrees' } }),
  'images in results': geminiResult({
    response: { output: '18 degrees' },
    parts: [{ inlineData: { mimeType: 'image/png', data: png } }],
  }),
  images: parts({ inlineData: { mimeType: 'image/png', data: png } }),
  'image URLs': parts({ fileData: { mimeType: 'image/png', fileUri: imageUrl } }),
  files: parts({ inlineData: { mimeType: 'application/pdf', data: pdf } }),
  audio: parts({ inlineData: { mimeType: 'audio/wav', data: wav } }),
  'JSON Schema': configured({ responseMimeType: 'application/json', responseJsonSchema: placeSchema }),
  'JSON mode': configured({ responseMimeType: 'application/json' }),
  'reasoning effort': configured({ thinkingConfig: { thinkingBudget: 4_096 } }),
  'stop sequences': configured({ stopSequences: ['END'] }),
  seed: configured({ seed: 7 }),
  'several choices': configured({ candidateCount: 2 }),
  logprobs: configured({ responseLogprobs: true, logprobs: 2 }),
};

/** What callers of each dialect can ask for, as their SDKs write it. */
export const clientRequests: Readonly<Partial<Record<DialectName, ClientRequests>>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  gemini,
};
