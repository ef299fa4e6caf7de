import { type Json, object, objects, parsed, text } from './json.ts';

/** What a request asks for, in words that belong to no vendor. */
export type RequestReading = {
  /** What each side says, its pieces in order. */
  system: string[];
  user: string[];
  assistant: string[];
  calls: { name: string; input: unknown }[];
  results: string[];
  /** `kind identity` of each image, audio and file. */
  media: string[];
  /** Names of the tools, each with the outline of its parameters. */
  tools: Record<string, Outline>;
  choice: string | undefined;
  /** Outline of the schema that the answer must follow, or `json` where any JSON will do. */
  format: Outline | 'json' | undefined;
  thinks: boolean | undefined;
  stop: string[];
  numbers: Record<string, number | undefined>;
  /** Items, parts and tools that no other vendor knows. */
  others: string[];
};

/** The names in a schema and which of them must be there; vendors want the rest in forms of their own. */
export type Outline = { [name: string]: Outline | string };

export function newRequestReading(): RequestReading {
  return {
    ...{ system: [], user: [], assistant: [], calls: [], results: [], media: [], stop: [], others: [] },
    ...{ tools: {}, choice: undefined, format: undefined, thinks: undefined, numbers: {} },
  };
}

export function outlineOf(schema: unknown): Outline {
  const { properties, items, anyOf, required, $defs } = object(schema);
  const must = Array.isArray(required) ? required.map(String) : [];
  const outline: Outline = {};
  for (const [name, value] of Object.entries(object(properties))) {
    outline[must.includes(name) ? name : `${name}?`] = outlineOf(value);
  }
  if (items !== undefined) outline['[]'] = outlineOf(items);
  for (const [index, one] of objects(anyOf).entries()) outline[`|${index}`] = outlineOf(one);
  for (const [name, value] of Object.entries(object($defs))) outline[`#${name}`] = outlineOf(value);
  return outline;
}

/** Media by its first and its own bytes: `data:` URLs and bare base64 are the same. */
export function mediaOf(kind: string, source: unknown): string {
  const bare = text(source).replace(/^data:[^,]*,/, '');
  return `${kind} ${bare.length} ${bare.slice(0, 40)}`;
}

/** A tool's result by what it says: JSON whatever its spacing, and what vendors wrap around plain words. */
export function resultOf(said: unknown): string {
  // The word that stands for a flag where a dialect has none.
  if (typeof said === 'string' && said.startsWith('Error: ')) return resultOf(said.slice('Error: '.length));
  const value = typeof said === 'string' ? parsed(said) : said;
  const fields = Object.keys(object(value));
  const [only] = fields;
  if (fields.length === 1 && only !== undefined && ['output', 'error'].includes(only)) {
    return resultOf((value as Json)[only]);
  }
  if (typeof value === 'object' && value !== null && (Array.isArray(value) || fields.length > 0))
    return JSON.stringify(value);
  return typeof said === 'string' ? said : JSON.stringify(said ?? '');
}

/** Counts and weights, under the names of OpenAI's chat. */
export function numbersOf(source: Json, names: Record<string, string>): RequestReading['numbers'] {
  return Object.fromEntries(
    Object.entries(names).flatMap(([name, written]) => {
      const value = source[written];
      return typeof value === 'number' ? [[name, value]] : [];
    }),
  );
}
