import type { ChatEvent } from '../chat-event.ts';
import type { JsonObject } from '../json-value.ts';
import type { ResponseWriter } from './response-writer.ts';

/** A function call being written. Several are open at a time: pieces of their arguments may alternate. */
export type OpenCall = { outputIndex: number; item: CallItem };

type CallItem = {
  id: string;
  type: 'function_call';
  status: string;
  call_id: string;
  name: string;
  arguments: string;
};

/** Begins a call. */
export function openCall(
  writer: ResponseWriter,
  { index, id, name }: Extract<ChatEvent, { type: 'tool-call' }>,
): JsonObject[] {
  if (writer.calls.has(index)) return [];
  const item: CallItem = {
    id: writer.answer.newId('fc_'),
    type: 'function_call',
    status: 'in_progress',
    call_id: id,
    name,
    arguments: '',
  };
  const outputIndex = writer.output.push(item) - 1;
  writer.calls.set(index, { outputIndex, item });
  return [{ type: 'response.output_item.added', output_index: outputIndex, item: { ...item } }];
}

/** Adds a piece to the arguments of a call. */
export function addArguments(
  writer: ResponseWriter,
  { index, text }: Extract<ChatEvent, { type: 'tool-arguments' }>,
): JsonObject[] {
  const call = writer.calls.get(index);
  if (!call || text === '') return [];
  call.item.arguments += text;
  return [argumentsDelta(call, text)];
}

function argumentsDelta({ item, outputIndex }: OpenCall, delta: string): JsonObject {
  return { type: 'response.function_call_arguments.delta', item_id: item.id, output_index: outputIndex, delta };
}

/** Ends all calls; one without arguments gets an empty object, since callers parse them. */
export function closeCalls(writer: ResponseWriter): JsonObject[] {
  const open = [...writer.calls.values()];
  writer.calls.clear();
  return open.flatMap((call) => {
    const { item, outputIndex } = call;
    const missing = item.arguments === '' ? [argumentsDelta(call, '{}')] : [];
    item.arguments ||= '{}';
    item.status = writer.itemStatus;
    return [
      ...missing,
      {
        type: 'response.function_call_arguments.done',
        item_id: item.id,
        output_index: outputIndex,
        name: item.name,
        arguments: item.arguments,
      },
      { type: 'response.output_item.done', output_index: outputIndex, item },
    ];
  });
}
