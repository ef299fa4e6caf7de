import { parsed } from './json.ts';

/** What an answer says, in words that belong to no vendor. */
export type Reading = { choices: Choice[]; usage?: Tokens | undefined; error?: Failure | undefined };

export type Choice = {
  text: string;
  reasoning: string;
  refusal: string;
  calls: Call[];
  finish: Finish | undefined;
  /** Set for content that callers of other dialects cannot ask for: audio, calls of tools that take free text. */
  ownKind?: true;
};

/** `input` is undefined where the arguments are no JSON, as when the answer was cut. */
export type Call = { id: string; name: string; input: unknown };

export type Finish = 'stop' | 'length' | 'tool_calls' | 'content_filter';

/** Cached tokens are part of the input, reasoning is part of the output. */
export type Tokens = { input: number; output: number; cached: number; reasoning: number };

/** `status` is undefined for a failure inside a stream. */
export type Failure = {
  status?: number | undefined;
  /** The status that callers of the gateway see for it. */
  told?: number;
  message: string;
  ownException?: boolean;
};

export function newChoice(): Choice {
  return { text: '', reasoning: '', refusal: '', calls: [], finish: undefined };
}

/** The choice of that number, made where there is none yet. */
export function choiceAt(reading: Reading, index: number): Choice {
  while (reading.choices.length <= index) reading.choices.push(newChoice());
  return reading.choices[index] as Choice;
}

/** The arguments of a call from their text; nothing written is an empty object. */
export function inputOf(written: string): unknown {
  return written.trim() === '' ? {} : parsed(written);
}

/** A reading of an HTTP error. */
export function failed(status: number, message: string, told: number): Reading {
  return { choices: [], error: { status, told, message } };
}
