import { answer, chunk, completion, done, event, role, type Script, stream, usageChunk } from './scripted-vendor.ts';

/** What must never come out where it does not belong, one for each place where it goes in. All begin alike. */
export const canaries = {
  prompt: 'canary-prompt',
  system: 'canary-system',
  toolDescription: 'canary-tool-description',
  sentArguments: 'canary-sent-arguments',
  toolResult: 'canary-tool-result',
  metadata: 'canary-metadata',
  header: 'canary-header',
  idempotencyKey: 'canary-idempotency-key',
  answer: 'canary-answer',
  reasoning: 'canary-reasoning',
  madeArguments: 'canary-made-arguments',
  vendorHeader: 'canary-vendor-header',
} as const;

/** Begins every one of them. */
export const canary = 'canary-';

const { prompt, system } = canaries;

const chatMessages = [
  { role: 'system', content: system },
  { role: 'user', content: prompt },
  {
    role: 'assistant',
    content: null,
    tool_calls: [
      { id: 'call_1', type: 'function', function: { name: 'look', arguments: `{"at":"${canaries.sentArguments}"}` } },
    ],
  },
  { role: 'tool', tool_call_id: 'call_1', content: canaries.toolResult },
];

const chatTools = [
  {
    type: 'function',
    function: { name: 'look', description: canaries.toolDescription, parameters: { type: 'object', properties: {} } },
  },
];

/** A request of each kind for the model `one`, and one for `one` and `two` at once, with canaries wherever text may stand. */
export function canaryRequests(streamed: boolean): { path: string; query?: string; body: object }[] {
  const gemini = streamed ? 'streamGenerateContent' : 'generateContent';
  return [
    {
      path: '/v1/chat/completions',
      body: {
        model: 'one',
        stream: streamed,
        messages: chatMessages,
        tools: chatTools,
        user: canaries.metadata,
        metadata: { team: canaries.metadata },
      },
    },
    { path: '/v1/chat/completions', body: { model: 'one,two', stream: streamed, messages: chatMessages } },
    { path: '/v1/completions', body: { model: 'one', stream: streamed, prompt, user: canaries.metadata } },
    {
      path: '/v1/responses',
      body: {
        model: 'one',
        stream: streamed,
        instructions: system,
        input: [
          { role: 'user', content: [{ type: 'input_text', text: prompt }] },
          { type: 'function_call', call_id: 'call_1', name: 'look', arguments: `{"at":"${canaries.sentArguments}"}` },
          { type: 'function_call_output', call_id: 'call_1', output: canaries.toolResult },
        ],
        metadata: { team: canaries.metadata },
      },
    },
    {
      path: '/v1/messages',
      body: {
        model: 'one',
        max_tokens: 100,
        stream: streamed,
        system,
        messages: [{ role: 'user', content: prompt }],
        metadata: { user_id: canaries.metadata },
      },
    },
    {
      path: `/v1beta/models/one:${gemini}`,
      query: 'alt=sse',
      body: {
        systemInstruction: { parts: [{ text: system }] },
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        generationConfig: { maxOutputTokens: 100 },
      },
    },
  ];
}

/** What is no conversation: forwarded, counted, or passed through to `scripted`. */
export const forwardedRequests: { path: string; body: object }[] = [
  { path: '/v1/embeddings', body: { model: 'one', input: prompt, user: canaries.metadata } },
  { path: '/v1/moderations', body: { model: 'one', input: prompt } },
  { path: '/v1/rerank', body: { model: 'one', query: prompt, documents: [system] } },
  { path: '/v1/images/generations', body: { model: 'one', prompt } },
  { path: '/v1/audio/speech', body: { model: 'one', input: prompt, voice: 'alloy' } },
  { path: '/v1/messages/count_tokens', body: { model: 'one', system, messages: [{ role: 'user', content: prompt }] } },
  { path: '/scripted/v1/anything', body: { text: prompt } },
];

/** Headers of a caller, known and unknown to the gateway. */
export const canaryHeaders = {
  'user-agent': canaries.header,
  'x-session-id': canaries.header,
  'x-anything': canaries.header,
  cookie: `session=${canaries.header}`,
  'openai-organization': canaries.header,
};

const madeCall = (index?: number) => ({
  ...(index === undefined ? {} : { index }),
  id: 'call_2',
  type: 'function',
  function: { name: 'look', arguments: `{"at":"${canaries.madeArguments}"}` },
});
const told = `You said: ${prompt}, ${system}`;
const vendorHeaders = { 'x-request-id': `id ${canaries.vendorHeader}`, 'x-vendor': canaries.vendorHeader };

/** How a vendor may answer, `secret` being the key that it was sent: with success, or with any kind of failure. */
export function canaryScripts(streamed: boolean, secret: string): Record<string, Script> {
  const message = { content: canaries.answer, reasoning_content: canaries.reasoning, tool_calls: [madeCall()] };
  const whole = completion(canaries.answer, {
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: 'tool_calls' }],
    system_fingerprint: canaries.answer,
  });
  const begun = [
    role,
    chunk({ reasoning_content: canaries.reasoning }),
    chunk({ content: canaries.answer }),
    chunk({ tool_calls: [madeCall(0)] }),
  ];
  const error = { message: `${told}, ${secret}`, type: told, code: `c ${told}`, param: told };
  const failures = [400, 401, 404, 429, 500, 503].map((status) => [
    `status ${status} that repeats what it was sent`,
    answer(status, { error }, vendorHeaders),
  ]);
  return {
    success: streamed
      ? stream(...begun, chunk({}, 'tool_calls'), usageChunk(), done)
      : answer(200, whole, vendorHeaders),
    'something that is no answer': answer(200, `${told} ${canaries.answer} ${secret}`),
    ...(streamed
      ? {
          'a stream that breaks off': stream(...begun),
          'a stream with an error that repeats what it was sent': stream(...begun, event({ error })),
          'a stream that is no stream': stream(`data: ${canaries.answer}\n\n`, `data: {"x": "${canaries.answer}`),
        }
      : { 'an error of status 200': answer(200, { error }) }),
    ...Object.fromEntries(failures),
  };
}
