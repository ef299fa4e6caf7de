import { type Content, GoogleGenAI, type Part } from '@google/genai';
import { type Conversation, question, schema, type Talk, tool, toolResult } from './tool-conversations.ts';

/** Holds the conversation and prints what it saw as JSON. */
async function converse({ url, apiKey, model }: Talk): Promise<Conversation> {
  // Metadata in the last chunk must be nothing that the SDK stumbles over.
  const headers = { 'x-sluice-metadata': 'enabled' };
  const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url, headers } });
  const config = { tools: [{ functionDeclarations: [{ ...tool, parametersJsonSchema: schema }] }] };
  const user: Content = { role: 'user', parts: [{ text: question }] };
  const read = async (contents: Content[]) => {
    const parts: Part[] = [];
    for await (const chunk of await client.models.generateContentStream({ model, contents, config })) {
      parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    }
    return parts;
  };
  const first = await read([user]);
  const call = first.find((part) => part.functionCall)?.functionCall;
  if (!call?.name) throw new Error('No call');
  const answered = {
    functionResponse: { ...(call.id ? { id: call.id } : {}), name: call.name, response: { output: toolResult } },
  };
  const second = await read([user, { role: 'model', parts: first }, { role: 'user', parts: [answered] }]);
  const texts = second.flatMap(({ text, thought }) => (text && !thought ? [text] : []));
  return { call: { name: call.name, input: call.args }, pieces: texts.length, text: texts.join('') };
}

console.log(JSON.stringify(await converse(JSON.parse(process.argv[2] ?? '{}') as Talk)));
