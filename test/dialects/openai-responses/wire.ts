import type { ChatEvent } from '../../../lambda/dialects/chat-event.ts';
import type { AnswerContext } from '../../../lambda/dialects/dialect.ts';
import {
  openAiResponsesClient as client,
  openAiResponsesVendor as vendor,
} from '../../../lambda/dialects/openai-responses/openai-responses.ts';

/** The wire bytes of these events, numbered as the vendor does. */
export function wire(events: readonly object[]): Buffer {
  return Buffer.from(
    events
      .map((event, index) => ({ ...event, sequence_number: index }))
      .map((event) => `event: ${(event as { type?: string }).type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join(''),
  );
}

export async function* pieces(...all: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

export async function* inOrder<T>(all: readonly T[]): AsyncGenerator<T> {
  yield* all;
}

export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

export function decode(bytes: Uint8Array): Promise<ChatEvent[]> {
  return collect(vendor.decodeStream(pieces(bytes)));
}

export function answerTo(body: object = { input: 'hi' }): AnswerContext {
  let made = 0;
  return {
    request: client.decodeRequest({ model: 'gpt-5', ...body }, {}),
    model: 'gpt-5',
    nowSeconds: 1_700_000_000,
    newId: (prefix) => `${prefix}${++made}`,
  };
}

export async function encodeStreamText(events: readonly ChatEvent[], answer = answerTo()): Promise<string> {
  return (await collect(client.encodeStream(inOrder(events), answer))).join('');
}
