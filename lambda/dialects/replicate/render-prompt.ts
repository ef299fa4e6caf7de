import type { ImagePart, Message, Part, ToolResultPart } from '../chat-request.ts';

/** A conversation as Replicate's language models take it: one prompt, one system prompt, and the images. */
export type RenderedPrompt = {
  prompt: string;
  systemPrompt: string | undefined;
  images: readonly ImagePart[];
  unsupported: Set<string>;
};

/**
 * Renders a conversation as text. System messages make the system prompt. One user message alone is the prompt as it
 * stands, since the models put their own template around it. A longer conversation becomes a transcript whose turns begin
 * with `User:` and `Assistant:`, with an empty line between them, and that ends with `Assistant:` for the model to go on;
 * what the assistant has already begun to say stands there. Calls and results of tools are told in words.
 */
export function renderPrompt(messages: readonly Message[]): RenderedPrompt {
  const unsupported = new Set<string>();
  if (messages.some(({ name }) => name !== undefined)) unsupported.add('name');
  const parts = messages.flatMap((message) => message.parts);
  for (const part of [...parts, ...parts.flatMap((one) => (one.type === 'tool-result' ? one.content : []))]) {
    if (part.type === 'audio') unsupported.add('input_audio');
    if (part.type === 'file') unsupported.add('file');
  }
  const system = messages.filter(isSystem).map(textOf).filter(Boolean);
  const turns = messages.filter((message) => !isSystem(message));
  return {
    prompt: renderTurns(turns),
    systemPrompt: system.length > 0 ? system.join('\n\n') : undefined,
    images: turns.flatMap(({ parts }) => parts.flatMap(imagesOf)),
    unsupported,
  };
}

function isSystem({ role }: Message): boolean {
  return role === 'system' || role === 'developer';
}

function renderTurns(turns: readonly Message[]): string {
  const [only] = turns;
  if (turns.length === 1 && only?.role === 'user') return textOf(only);
  const lines = turns.map((turn) => `${turn.role === 'assistant' ? 'Assistant' : 'User'}: ${textOf(turn)}`);
  if (turns.at(-1)?.role !== 'assistant') lines.push('Assistant:');
  return lines.join('\n\n');
}

function textOf({ parts }: Message): string {
  return parts.map(renderPart).filter(Boolean).join('\n');
}

/** Thoughts are left out: they are no part of what was said. */
function renderPart(part: Part): string {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return part.text;
    case 'tool-call':
      return `Call of the tool ${part.name} (${part.id}): ${part.arguments}`;
    case 'tool-result':
      return `${part.isError ? 'Error' : 'Result'} of the tool (${part.callId}): ${resultText(part)}`;
    default:
      return '';
  }
}

function resultText({ content }: ToolResultPart): string {
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

function imagesOf(part: Part): ImagePart[] {
  if (part.type === 'image') return [part];
  return part.type === 'tool-result' ? part.content.filter((held) => held.type === 'image') : [];
}
