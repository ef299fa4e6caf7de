import { ApiError, GoogleGenAI } from '@google/genai';
import { type Ask, type Caller, prompt, thrown, toolSchema } from './caller.ts';
import { type Json, object, parsed, text } from './json.ts';
import { readGemini } from './read-gemini.ts';
import type { Reading } from './reading.ts';

/** The `@google/genai` package. */
export const geminiCaller: Caller = {
  dialect: 'gemini',
  async call(ask) {
    try {
      return await read(ask);
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      const body = object(parsed(told.slice(Math.max(0, told.indexOf('{')))));
      const message = text(object(body['error'])['message']) || told;
      return { choices: [], error: thrown(error, ApiError, message) };
    }
  },
};

async function read({ url, model, stream, tools, choices }: Ask): Promise<Reading> {
  const { models } = new GoogleGenAI({ apiKey: 'key', httpOptions: { baseUrl: url, timeout: 20_000 } });
  const functionDeclarations = tools.map((name) => ({ name, parametersJsonSchema: toolSchema }));
  const config = {
    ...(tools.length > 0 ? { tools: [{ functionDeclarations }] } : {}),
    ...(choices > 1 ? { candidateCount: choices } : {}),
  };
  if (!stream) return readGemini([object(await models.generateContent({ model, contents: prompt, config }))]);
  const responses: Json[] = [];
  for await (const one of await models.generateContentStream({ model, contents: prompt, config }))
    responses.push(object(one));
  return readGemini(responses);
}
