import { GoogleGenAI } from '@google/genai';

// A process of its own, since the SDK looks for Node's fetch dispatcher in the global scope, which a test has a copy of.
const { url, apiKey, model } = JSON.parse(process.argv[2] ?? '{}') as { url: string; apiKey: string; model: string };
const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: url } });
const names: (string | undefined)[] = [];
for await (const { name } of await client.models.list({ config: { pageSize: 2 } })) names.push(name);
const one = await client.models.get({ model: names[0] ?? '' });

const own = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: `${url}/google-ai-studio` } });
const { embeddings } = await own.models.embedContent({ model, contents: 'canary-prompt' });
process.stdout.write(JSON.stringify({ names, one: one.name, vector: embeddings?.[0]?.values }));
