import type { ClientDialect } from '../../dialects/dialect.ts';
import { type JsonObject, withoutUndefined } from '../../dialects/json-value.ts';
import { eventTexts } from '../../dialects/sse-events.ts';
import type { RequestRecord } from '../../telemetry/request-record.ts';
import type { GatewayRequest, Sink } from '../exchange.ts';

/** The field of a body, or of the last event of a stream, that holds what the gateway did for it. */
export const metadataField = 'sluice';

/** Asked for by our own header, or by OpenRouter's (https://openrouter.ai/docs/guides/features/router-metadata). */
export function wantsMetadata({ headers }: Pick<GatewayRequest, 'headers'>): boolean {
  return [headers['x-sluice-metadata'], headers['x-openrouter-metadata']].some(
    (value) => value?.trim().toLowerCase() === 'enabled',
  );
}

/** What of an attempt a caller may know, whatever else the log has of it. */
const toldOfAttempts = [
  ...['requestModel', 'provider', 'model', 'reason', 'outcome', 'status', 'durationMs', 'retry', 'hedge', 'breaker'],
  ...['brokeOff', 'usage'],
];

/** What was asked of whom for this request, and what came of it, as far as it is known now. */
export function answerMetadata(record: RequestRecord): JsonObject {
  const { requestId, requestModel, provider, targetModel, configVersion } = record;
  const attempts = record.attempts.map((attempt) => {
    const known: JsonObject = { ...attempt };
    return Object.fromEntries(toldOfAttempts.map((name) => [name, known[name]]));
  });
  return withoutUndefined({ requestId, requestModel, provider, model: targetModel, configVersion, attempts });
}

/** Adds the metadata to the text of a JSON object, and changes nothing else of it. */
export function withMetadata(text: string, metadata: JsonObject): string {
  const inside = text.indexOf('{') + 1;
  if (inside === 0) return text;
  const rest = text.slice(inside);
  const comma = /^\s*\}/.test(rest) ? '' : ',';
  return `${text.slice(0, inside)}${JSON.stringify(metadataField)}:${JSON.stringify(metadata)}${comma}${rest}`;
}

/** A sink for a stream, into whose last event `close` writes the metadata; that event waits until then. */
export type MetadataSink = Sink & { close(): Promise<void> };

/** Everything but the last event passes at once. What is written must be whole events. */
export function metadataSink(sink: Sink, { endsStream }: ClientDialect, metadata: () => JsonObject): MetadataSink {
  let held: string[] = [];
  const write = (bytes: Uint8Array | string): Promise<void> | undefined => {
    if (!endsStream) return sink.write(bytes);
    const passing: string[] = [];
    for (const event of eventTexts(bytes)) {
      const isJson = event.includes('{');
      if (isJson) passing.push(...held.splice(0));
      if (endsStream(event)) held.push(event);
      else passing.push(event);
    }
    return passing.length > 0 ? sink.write(passing.join('')) : undefined;
  };
  return {
    head: sink.head,
    write,
    end: sink.end,
    async close() {
      const [last, ...markers] = held;
      held = [];
      if (last !== undefined) await sink.write([withMetadata(last, metadata()), ...markers].join(''));
    },
  };
}
