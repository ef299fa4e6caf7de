import type { ClientDialect, RequestContext } from './dialect.ts';
import { onDemand } from './on-demand.ts';
import { openAiChatClient } from './openai-chat/openai-chat.ts';

const gemini = () => import('./gemini/gemini.ts');

type Client = () => ClientDialect | Promise<ClientDialect>;

const geminiClient: Client = onDemand(async () => (await gemini()).geminiClient);
const geminiArrayClient: Client = onDemand(async () => (await gemini()).geminiArrayClient);

/** The dialect that callers of a path speak, by the path without `/v1`. */
export const clientDialectsByPath: Readonly<Record<string, Client>> = {
  '/chat/completions': () => openAiChatClient,
  '/completions': onDemand(
    async () => (await import('./openai-completions/openai-completions.ts')).openAiCompletionsClient,
  ),
  '/responses': onDemand(async () => (await import('./openai-responses/openai-responses.ts')).openAiResponsesClient),
  '/messages': onDemand(
    async () => (await import('./anthropic-messages/anthropic-messages.ts')).anthropicMessagesClient,
  ),
};

/** Gemini's paths name the model and what to do with it; a stream without `alt=sse` is one JSON array. */
export function geminiConversation(
  path: string,
  query: string,
): { client: Client; context: RequestContext } | undefined {
  const [, model, method] = /^(?:\/v1beta)?\/models\/(.+):(generateContent|streamGenerateContent)$/.exec(path) ?? [];
  if (model === undefined) return undefined;
  const stream = method === 'streamGenerateContent';
  const client = stream && new URLSearchParams(query).get('alt') !== 'sse' ? geminiArrayClient : geminiClient;
  return { client, context: { model, stream } };
}
