import { isObject, parseJson } from '../../dialects/json-value.ts';
import { type MergedBase, type ModelChoice, mergedChunk } from '../../dialects/openai-chat/merge-answers.ts';
import { eventTexts, parseEvent } from '../../dialects/sse-events.ts';
import type { Sink } from '../exchange.ts';

/** One choice of a merged stream; `dropped` are the parameters that were left out for its model. */
export type ChoiceOptions = { choice: ModelChoice; base: MergedBase; dropped: readonly string[] };

/** Takes the stream of one of several models, and writes it as the events of its choice. */
export function choiceSink(sink: Sink, { choice, base, dropped }: ChoiceOptions): Sink & { hasFinished(): boolean } {
  let hasFinished = false;
  let told = dropped;
  const rewritten = (event: string): string => {
    const { data } = parseEvent(event);
    // A comment keeps connections open on the way.
    if (data === undefined) return event;
    const chunk = parseJson(data);
    const merged = isObject(chunk) ? mergedChunk(chunk, { ...choice, dropped: told }, base) : undefined;
    if (!merged) return '';
    told = [];
    hasFinished ||= merged.choices.some(({ finish_reason: reason }) => typeof reason === 'string');
    return chunkEvent(merged);
  };
  return {
    ...sink,
    hasFinished: () => hasFinished,
    write(bytes) {
      const text = eventTexts(bytes).map(rewritten).join('');
      return text === '' ? undefined : sink.write(text);
    },
  };
}

export function chunkEvent(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
