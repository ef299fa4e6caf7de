import type { ChatRequest, Tool } from '../chat-request.ts';
import { isObject, type JsonObject } from '../json-value.ts';
import { cachePoints } from './encode-messages.ts';
import { modelFamily } from './model-family.ts';

type Target = { model: string; unsupported: Set<string> };

/** `toolConfig`, and what of the caller's choice goes to the model itself; both empty when no tool takes part. */
export function encodeTools(request: ChatRequest, target: Target): { config?: JsonObject; fields: JsonObject } {
  const { toolChoice } = request;
  const native = nativeTools(request, target);
  const declared = [...request.tools.flatMap((tool) => encodeTool(tool, target)), ...native];
  const used = usedTools(request);
  if (toolChoice?.type === 'none' && used.length === 0) return { fields: {} };
  // Converse has no "none": with calls in the conversation the tools must be declared, and may be called.
  if (toolChoice?.type === 'none' && declared.length > 0) target.unsupported.add('tool_choice');
  // "The toolConfig field must be defined when using toolUse and toolResult content blocks."
  const tools = declared.length > 0 ? declared : used;
  if (tools.length === 0) return { fields: {} };
  const choice = declared.length > 0 ? encodeChoice(toolChoice) : undefined;
  if (request.parallelToolCalls === false && request.tools.length > 0) {
    const fields = oneCallOnly(toolChoice, target);
    // Bedrock refuses two choices that differ in form: https://github.com/BerriAI/litellm/issues/36536
    if (fields) return { config: { tools }, fields };
  }
  return { config: { tools, ...(choice ? { toolChoice: choice } : {}) }, fields: {} };
}

function encodeTool({ name, description, parameters, strict, cache }: Tool, target: Target): JsonObject[] {
  const toolSpec = {
    name,
    ...(description ? { description } : {}),
    inputSchema: { json: parameters ?? { type: 'object', properties: {} } },
    ...(strict ? { strict } : {}),
  };
  return [{ toolSpec }, ...cachePoints(cache, target)];
}

/** Bedrock's own tools, such as `{systemTool: {name}}`, written among OpenAI's. */
function nativeTools({ extensions }: ChatRequest, { unsupported }: Target): JsonObject[] {
  const lists = Object.values(extensions).map((fields) => fields['tools']);
  const others = lists.flatMap((list) => (Array.isArray(list) ? list : []));
  const native = others.filter(isObject).filter((tool) => tool['systemTool'] || tool['toolSpec'] || tool['cachePoint']);
  if (native.length < others.length) unsupported.add('tools');
  return native;
}

/** Declares the tools that were called earlier, for a caller who no longer offers any. */
function usedTools({ messages }: ChatRequest): JsonObject[] {
  const parts = messages.flatMap(({ parts }) => parts);
  const names = new Set(parts.flatMap((part) => (part.type === 'tool-call' ? [part.name] : [])));
  return [...names].map((name) => ({ toolSpec: { name, inputSchema: { json: { type: 'object' } } } }));
}

function encodeChoice(choice: ChatRequest['toolChoice']): JsonObject | undefined {
  switch (choice?.type) {
    case 'auto':
      return { auto: {} };
    case 'required':
      return { any: {} };
    case 'tool':
      return { tool: { name: choice.name } };
    default:
      return undefined;
  }
}

/** Claude's own form of the choice, the only one that can forbid parallel calls. */
function oneCallOnly(choice: ChatRequest['toolChoice'], target: Target): JsonObject | undefined {
  if (modelFamily(target.model) !== 'claude') {
    target.unsupported.add('parallel_tool_calls');
    return undefined;
  }
  const type = choice?.type === 'required' ? 'any' : choice?.type === 'tool' ? 'tool' : 'auto';
  const name = choice?.type === 'tool' ? { name: choice.name } : {};
  return { tool_choice: { type, ...name, disable_parallel_tool_use: true } };
}
