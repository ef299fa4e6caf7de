import type { ChatEvent, FinishReason } from '../chat-event.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html */
const reasons: ReadonlyMap<string, FinishReason> = new Map([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['tool_use', 'tool_calls'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['guardrail_intervened', 'content_filter'],
  ['content_filtered', 'content_filter'],
]);

const failures: ReadonlyMap<string, string> = new Map([
  ['malformed_model_output', 'The model produced output that could not be read'],
  ['malformed_tool_use', 'The model produced a tool call that could not be read'],
]);

/** The end that `stopReason` tells, in a complete answer or in `messageStop`; undefined when it tells none. */
export function readFinish(body: JsonObject): ChatEvent | undefined {
  const nativeReason = stringOrUndefined(body['stopReason']);
  if (nativeReason === undefined) return undefined;
  const message = failures.get(nativeReason);
  if (message) return { type: 'error', error: { message, type: nativeReason, param: undefined, code: undefined } };
  const stopSequence = readStopSequence(body['additionalModelResponseFields']);
  return {
    type: 'finish',
    choice: 0,
    reason: reasons.get(nativeReason) ?? 'stop',
    nativeReason,
    ...(stopSequence === undefined ? {} : { stopSequence }),
  };
}

/** Where Claude's own answer has it, buffered and streamed; both are asked for by the encoder. */
export const stopSequencePaths = ['/stop_sequence', '/delta/stop_sequence'];

function readStopSequence(fields: unknown): string | undefined {
  if (!isObject(fields)) return undefined;
  const delta = isObject(fields['delta']) ? fields['delta'] : {};
  return stringOrUndefined(fields['stop_sequence']) ?? stringOrUndefined(delta['stop_sequence']);
}
