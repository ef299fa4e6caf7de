import { isDeepStrictEqual } from 'node:util';
import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import type { RequestReading } from './request-reading.ts';

/** By which names the gateway says that it could not honour an aspect of a request. */
const namesOf: Readonly<Partial<Record<keyof RequestReading, readonly string[]>>> = {
  media: ['image_url', 'input_audio', 'file', 'file_id'],
  tools: ['tools', 'strict'],
  choice: ['tool_choice', 'tools', 'toolConfig'],
  calls: ['tools'],
  format: ['response_format'],
  thinks: ['reasoning_effort', 'thinking', 'enable_thinking'],
  stop: ['stop'],
};

/** What of a recorded request does not reach a vendor of another dialect, and is not named as unsupported either. */
export function requestDifferences(
  asked: RequestReading,
  sent: RequestReading,
  { unsupported, vendor }: { unsupported: readonly string[]; vendor: DialectName },
): string[] {
  const found: string[] = [];
  const isNamed = (aspect: keyof RequestReading) =>
    namesOf[aspect]?.some((name) => unsupported.includes(name)) === true;
  const compare = (aspect: keyof RequestReading, wanted: unknown, got: unknown) => {
    if (isDeepStrictEqual(wanted, got) || isNamed(aspect)) return;
    found.push(`${aspect}: ${shown(wanted)} became ${shown(got)}`);
  };
  const hasOthers = asked.others.length > 0;
  if (hasOthers && unsupported.length === 0) found.push(`nothing is said of ${asked.others.join(', ')}`);
  if (vendor === 'replicate') found.push(...promptDifferences(asked, sent));
  else compareTurns(asked, sent, compare);
  // Cohere takes files of tools' results as documents in them.
  const isMixed = vendor === 'cohere-chat' && asked.media.some((one) => one.startsWith('file '));
  if (vendor !== 'replicate' && !isMixed) compare('results', asked.results.map(squeezed), sent.results.map(squeezed));
  if (!isMixed || asked.results.length === 0) compare('media', asked.media.toSorted(), sent.media.toSorted());
  const tools = offered(asked, sent);
  compare('tools', tools, sent.tools);
  // Where a tool stands for the answer in JSON, the model must call one or the other.
  if (asked.format === undefined)
    compare('choice', choiceAmong(tools, asked.choice), choiceAmong(sent.tools, sent.choice));
  // Where only schemas are known, the one of any object stands for any JSON.
  compare('format', asked.format, asked.format === 'json' && isEmpty(sent.format) ? 'json' : sent.format);
  // Who asks for nothing, or only for summaries, leaves it to the model.
  // In a turn whose calls come without signed thoughts, Claude refuses to think.
  const isInterrupted = ['anthropic-messages', 'bedrock-converse'].includes(vendor) && asked.results.length > 0;
  if (asked.thinks !== undefined && !(isInterrupted && sent.thinks === undefined)) {
    compare('thinks', asked.thinks, sent.thinks);
  }
  compare('stop', asked.stop, sent.stop);
  for (const [name, wanted] of Object.entries(asked.numbers)) {
    const got = sent.numbers[name];
    if (got === wanted || (got === undefined && wanted === defaults[name]) || unsupported.includes(name)) continue;
    // Cohere takes no more, and the samples are the same.
    if (vendor === 'cohere-chat' && name === 'top_p' && wanted === 1 && got === 0.99) continue;
    found.push(`${name}: ${wanted} became ${got}`);
  }
  return found;
}

type Compare = (aspect: keyof RequestReading, wanted: unknown, got: unknown) => void;

function compareTurns(asked: RequestReading, sent: RequestReading, compare: Compare): void {
  // Some vendors refuse instructions alone.
  const isInstructed = asked.user.length + asked.media.length > 0 || sent.system.length > 0;
  if (isInstructed) compare('system', spoken(asked.system), spoken(sent.system));
  compare('user', spoken(isInstructed ? asked.user : asked.system), spoken(sent.user));
  compare('assistant', spoken(asked.assistant), spoken(sent.assistant));
  compare('calls', asked.calls.map(plainCall), sent.calls.map(plainCall));
}

/** Where a conversation becomes one prompt, each thing that was said must stand in it. */
function promptDifferences(asked: RequestReading, sent: RequestReading): string[] {
  const prompt = spoken([...sent.system, ...sent.user]);
  const said = [...asked.system, ...asked.user, ...asked.assistant, ...asked.results];
  const missing = said.filter((piece) => !prompt.includes(spoken([piece])));
  return missing.map((piece) => `not in the prompt: ${shown(piece)}`);
}

/** What happens anyhow when nothing is said. */
const defaults: Readonly<Record<string, number>> = {
  ...{ n: 1, temperature: 1, top_p: 1, frequency_penalty: 0, presence_penalty: 0 },
};

/** The tools that must be offered: Cohere can be made to call one by offering no other, Bedrock wants those of earlier calls. */
function offered(asked: RequestReading, sent: RequestReading): RequestReading['tools'] {
  const { choice, tools, calls } = asked;
  if (choice === 'none' && isEmpty(sent.tools)) return {};
  const forced = choice === undefined ? undefined : tools[choice];
  if (choice && forced && sent.choice === 'required') return { [choice]: forced };
  const isOfEarlierCalls = Object.keys(sent.tools).every((name) => calls.some((call) => call.name === name));
  return isEmpty(tools) && isOfEarlierCalls ? sent.tools : tools;
}

/** To be made to call the only tool there is, and to call any, are the same; without a tool nothing can be chosen. */
function choiceAmong(tools: RequestReading['tools'], choice = 'auto'): string {
  const names = Object.keys(tools);
  if (names.length === 0) return 'auto';
  if (choice === 'any') return 'required';
  return names.length === 1 && choice === names[0] ? 'required' : choice;
}

function isEmpty(outline: RequestReading['format']): boolean {
  return typeof outline === 'object' && Object.keys(outline).length === 0;
}

function plainCall({ name, input }: RequestReading['calls'][number]): string {
  return `${name} ${JSON.stringify(input)}`;
}

/** Blanks at the ends and between pieces are written in as many ways as there are vendors. */
function spoken(pieces: readonly string[]): string {
  return squeezed(pieces.join('')).replaceAll(' ', '');
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}
