import OpenAI, { APIError } from 'openai';

/** What somebody who uses the official SDK sees of one request. */
export type Seen = {
  text: string;
  finish: string | undefined;
  /** Thrown by the SDK; whatever else is thrown is no answer and fails the test. */
  error: APIError | undefined;
  provider: string | undefined;
  attempts: number;
  startedAtMs: number;
  tookMs: number;
};

/** A request as a test words it. */
export type Asking = {
  model: string;
  stream: boolean;
  content?: string;
  headers?: Record<string, string>;
  /** Hears each piece of a stream when it comes. */
  onText?: (text: string) => void;
};

/** The official SDK, which tries nothing again by itself. */
export function sdkClient({ url, apiKey }: { url: string; apiKey: string }): OpenAI {
  return new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });
}

/** Asks once, as an application would. */
export async function ask(client: OpenAI, asking: Asking): Promise<Seen> {
  const { model, stream, content = 'hi', headers = {}, onText } = asking;
  const startedAtMs = performance.now();
  const params = { model, messages: [{ role: 'user' as const, content }] };
  const seen = { text: '', finish: undefined as string | undefined };
  let head: Headers | undefined;
  let error: APIError | undefined;
  try {
    if (stream) {
      const answer = await client.chat.completions.create({ ...params, stream: true }, { headers }).withResponse();
      head = answer.response.headers;
      for await (const { choices } of answer.data) {
        const piece = choices[0]?.delta.content ?? '';
        seen.text += piece;
        if (piece) onText?.(piece);
        seen.finish = choices[0]?.finish_reason ?? seen.finish;
      }
    } else {
      const { data, response } = await client.chat.completions.create(params, { headers }).withResponse();
      head = response.headers;
      seen.text = data.choices[0]?.message.content ?? '';
      seen.finish = data.choices[0]?.finish_reason;
    }
  } catch (thrown) {
    if (!(thrown instanceof APIError)) throw thrown;
    error = thrown;
    head ??= thrown.headers;
  }
  return {
    ...seen,
    error,
    provider: head?.get('x-sluice-provider') ?? undefined,
    attempts: Number(head?.get('x-sluice-attempts')),
    startedAtMs,
    tookMs: performance.now() - startedAtMs,
  };
}

/** Callers that ask without a pause, each in turn, until they are stopped. */
export type Callers = { seen: readonly Seen[]; stop(): Promise<void> };

export function startCallers(count: number, ask: () => Promise<Seen>): Callers {
  const seen: Seen[] = [];
  let stopped = false;
  const one = async () => {
    while (!stopped) seen.push(await ask());
  };
  const all = Promise.all(Array.from({ length: count }, one));
  // Told to whoever stops them.
  all.catch(() => {});
  return {
    seen,
    async stop() {
      stopped = true;
      await all;
    },
  };
}
