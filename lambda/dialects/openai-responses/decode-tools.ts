import type { Tool, ToolChoice } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';
import { RequestProblem } from '../request-problem.ts';
import { typeOf } from './decode-content.ts';

const functionFields = new Set(['type', 'name', 'description', 'parameters', 'strict']);

/** The functions among the tools, and the names of what else is asked for there: hosted tools, newer fields. */
export function decodeTools(value: unknown): { tools: Tool[]; unplacedTools: Set<string> } {
  const unplacedTools = new Set<string>();
  if (value === undefined || value === null) return { tools: [], unplacedTools };
  if (!Array.isArray(value)) throw new RequestProblem('"tools" must be a list.', 'tools');
  const tools = value.flatMap((tool, index) => {
    if (!isObject(tool)) throw new RequestProblem(`tools[${index}] must be an object.`, `tools[${index}]`);
    if (tool['type'] === 'function') return [decodeFunction(tool, `tools[${index}]`, unplacedTools)];
    unplacedTools.add(`tools[].${typeOf(tool)}`);
    return [];
  });
  return { tools, unplacedTools };
}

function decodeFunction(tool: JsonObject, at: string, unplaced: Set<string>): Tool {
  const { description, parameters, strict } = tool;
  const name = stringOrUndefined(tool['name']);
  if (!name) throw new RequestProblem(`${at} needs a name.`, `${at}.name`);
  for (const [field, value] of Object.entries(tool)) {
    if (!functionFields.has(field) && value !== null && value !== undefined) unplaced.add(`tools[].${field}`);
  }
  return {
    name,
    ...(typeof description === 'string' ? { description } : {}),
    ...(isObject(parameters) ? { parameters } : {}),
    // null means false at OpenAI; only an absent one leaves the choice to the vendor.
    ...(strict === undefined ? {} : { strict: strict === true }),
  };
}

/** Undefined for a choice among hosted tools, which has no place in the vocabulary. */
export function decodeToolChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  if (!isObject(choice) || typeof choice['type'] !== 'string') {
    throw new RequestProblem('"tool_choice" must be "auto", "none", "required" or name a tool.', 'tool_choice');
  }
  const { type, name } = choice;
  return type === 'function' && typeof name === 'string' ? { type: 'tool', name } : undefined;
}
