import type { ChatEvent, FinishReason } from '../chat-event.ts';
import type { AnswerContext } from '../dialect.ts';
import type { JsonObject } from '../json-value.ts';
import type { ProviderError } from '../provider-error.ts';
import { type ResponseIdentity, responseObject } from './response-object.ts';
import { writeResponsesUsage } from './usage.ts';
import { addArguments, closeCalls, type OpenCall, openCall } from './write-call.ts';
import { addCitation, addLogprobs, addText, closeMessage, type OpenMessage } from './write-message.ts';
import { addThought, closeThought, type OpenThought, writeSecret } from './write-thought.ts';

/** An answer while it is written: the items so far, and those that are not finished. */
export type ResponseWriter = {
  answer: AnswerContext;
  identity: ResponseIdentity;
  hasStarted: boolean;
  output: JsonObject[];
  message: OpenMessage | undefined;
  thought: OpenThought | undefined;
  calls: Map<number, OpenCall>;
  /** How items are left that are closed now. */
  itemStatus: 'completed' | 'incomplete';
  ended: Ended;
};

type Ended = { reason?: FinishReason; usage?: JsonObject; serviceTier?: string; error?: ProviderError };

/** An answer of which nothing is written. */
export function newResponseWriter(answer: AnswerContext): ResponseWriter {
  return {
    answer,
    identity: { id: answer.newId('resp_'), model: answer.model, createdSeconds: answer.nowSeconds },
    hasStarted: false,
    output: [],
    message: undefined,
    thought: undefined,
    calls: new Map(),
    itemStatus: 'completed',
    ended: {},
  };
}

/**
 * Takes in one event and gives the wire's events for it. They share their items with the answer: to be serialized before
 * the next event is taken in. There is one answer here: other choices have no place.
 */
export function writeEvent(writer: ResponseWriter, event: ChatEvent): JsonObject[] {
  if ('choice' in event && event.choice > 0) return [];
  if (event.type !== 'start') return [...startResponse(writer), ...writeContent(writer, event)];
  const { id, model, createdSeconds } = writer.identity;
  writer.identity = {
    id: event.id ?? id,
    model: event.model ?? model,
    createdSeconds: event.createdSeconds ?? createdSeconds,
  };
  return startResponse(writer);
}

function startResponse(writer: ResponseWriter): JsonObject[] {
  if (writer.hasStarted) return [];
  writer.hasStarted = true;
  const response = responseObject(writer.identity, writer.answer);
  return [
    { type: 'response.created', response },
    { type: 'response.in_progress', response },
  ];
}

function writeContent(writer: ResponseWriter, event: Exclude<ChatEvent, { type: 'start' }>): JsonObject[] {
  switch (event.type) {
    case 'text':
    case 'refusal':
      return event.text === '' ? [] : [...closeThought(writer), ...addText(writer, event)];
    case 'logprobs':
      return [...closeThought(writer), ...addLogprobs(writer, event.content)];
    case 'citation':
      return [...closeThought(writer), ...addCitation(writer, event.citation)];
    case 'reasoning':
      return [...closeMessage(writer), ...addThought(writer, event)];
    case 'tool-call':
      return [
        ...closeMessage(writer),
        ...closeThought(writer),
        ...(event.signature
          ? writeSecret(writer, { kind: 'tool-call', callId: event.id, signature: event.signature })
          : []),
        ...openCall(writer, event),
      ];
    case 'tool-arguments':
      return addArguments(writer, event);
    case 'finish':
      return finish(writer, event.reason);
    case 'usage':
      writer.ended.usage = writeResponsesUsage(event.usage);
      if (event.serviceTier !== undefined) writer.ended.serviceTier = event.serviceTier;
      return [];
    case 'error':
      writer.ended.error = event.error;
      return [];
  }
}

function finish(writer: ResponseWriter, reason: FinishReason): JsonObject[] {
  writer.ended.reason = reason;
  if (incompleteReason(reason)) writer.itemStatus = 'incomplete';
  return [...closeThought(writer), ...closeMessage(writer), ...closeCalls(writer)];
}

function incompleteReason(reason: FinishReason | undefined): string | undefined {
  if (reason === 'length') return 'max_output_tokens';
  return reason === 'content_filter' ? 'content_filter' : undefined;
}

/** The last events: how the response ended. None where the vendor's answer broke off without an end. */
export function endResponse(writer: ResponseWriter): JsonObject[] {
  const { error, reason } = writer.ended;
  if (!error && !reason) return [];
  const response = finalResponse(writer);
  if (!error) return [{ type: `response.${response['status']}`, response }];
  const { code, message, param } = error;
  const told = { code: code ?? 'server_error', message: message ?? 'The provider failed.', param: param ?? null };
  return [
    { type: 'error', ...told, error: { type: error.type ?? 'server_error', ...told } },
    { type: 'response.failed', response },
  ];
}

/** The response as it stands at the end. */
export function finalResponse(writer: ResponseWriter): JsonObject {
  const { error, reason, usage, serviceTier } = writer.ended;
  const why = incompleteReason(reason);
  const response = responseObject(writer.identity, writer.answer);
  return {
    ...response,
    status: error ? 'failed' : why ? 'incomplete' : 'completed',
    error: error ? { code: error.code ?? 'server_error', message: error.message ?? 'The provider failed.' } : null,
    incomplete_details: why ? { reason: why } : null,
    output: writer.output,
    usage: usage ?? null,
    service_tier: serviceTier ?? response['service_tier'],
  };
}
