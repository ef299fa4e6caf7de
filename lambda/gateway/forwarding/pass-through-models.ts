import { jsonMembers } from '../../dialects/json-members.ts';
import { isObject, parseJson } from '../../dialects/json-value.ts';
import { isFormType, readForm } from '../../dialects/multipart.ts';
import { endpointNames } from '../../dialects/vendor-endpoint.ts';
import type { GatewayRequest } from '../exchange.ts';

/** Which models a request for a vendor's own API names, and whether it is one whose model is sure to be among them. */
export type NamedModels = { models: readonly string[]; isSure: boolean };

/** Endpoints that ask the model which their body names, by the end of their path. */
const askedByBody = [
  ...endpointNames,
  ...['chat/completions', 'completions', 'responses', 'messages', 'messages/count_tokens', 'chat', 'embed'],
];

/** Where the model stands in a path: behind which segment, and up to where. */
const inPath = [
  // Google's, with what is wanted of the model behind a colon; Replicate's, whose names have an owner.
  { pattern: /(?:^|\/)models\/([^/]+):[a-zA-Z]+$/, asks: true },
  { pattern: /(?:^|\/)models\/([^/]+\/[^/]+)\/predictions$/, asks: true },
  {
    pattern: /(?:^|\/)model\/([^/]+)\/(?:converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$/,
    asks: true,
  },
  { pattern: /(?:^|\/)deployments\/([^/]+)\//, asks: false },
  { pattern: /(?:^|\/)endpoints\/(?!openapi\/)([^/:]+)/, asks: false },
] as const;

/** Reads path, query and body; every place that some vendor may look at counts. */
export function namedModels(path: string, { query, headers, body }: GatewayRequest): NamedModels {
  const found = inPath.flatMap(({ pattern, asks }) => {
    const name = pattern.exec(path)?.[1];
    return name === undefined ? [] : [{ name: decoded(name), asks }];
  });
  const inBody = bodyModels(body, headers['content-type']);
  const models = [
    ...found.map(({ name }) => name),
    ...inBody.models,
    ...new URLSearchParams(query).getAll('model').filter((name) => name !== ''),
  ];
  const byBody = askedByBody.some((end) => path.endsWith(`/${end}`));
  // A name in any other place may be one that the vendor does not look at.
  const isSure = found.some(({ asks }) => asks) || (byBody && (inBody.outermost > 0 || found.length > 0));
  return { models: [...new Set(models.map(withoutCollection))], isSure };
}

/** `models/x` is another word for `x` at Google. */
function withoutCollection(name: string): string {
  return name.replace(/^(?:.*\/)?models\//, '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The models that a body names, and how many of them in its outermost object. */
type BodyModels = { models: readonly string[]; outermost: number };

function bodyModels(body: Buffer, contentType: string | undefined): BodyModels {
  if (isFormType(contentType)) return formModels(body, contentType);
  const text = body.toString('utf8');
  const json = text.trimStart().startsWith('{') ? parseJson(text) : undefined;
  if (!isObject(json)) return { models: [], outermost: 0 };
  // Of a member that is there twice, parsers believe one or the other.
  const outermost = jsonMembers(text)
    .filter(({ key }) => isModelKey(key))
    .map(({ valueStart, end }) => parseJson(text.slice(valueStart, end)));
  const isName = (name: unknown) => typeof name === 'string' && name !== '';
  return {
    models: [...outermost, ...nestedModels(json)].filter(isName) as string[],
    outermost: outermost.filter(isName).length,
  };
}

/** Go's parsers take the names of members in any case. */
function isModelKey(key: string): boolean {
  return /^models?$/i.test(key);
}

/** Also those of fallbacks and of tools. By a list of its own, since values may be nested deeper than calls can be. */
function nestedModels(json: object): unknown[] {
  const names: unknown[] = [];
  const open: unknown[] = [json];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, member] of Object.entries(value)) {
      if (!Array.isArray(value) && isModelKey(key)) names.push(...[member].flat());
      open.push(member);
    }
  }
  return names;
}

function formModels(body: Buffer, contentType: string): BodyModels {
  try {
    const { parts } = readForm(body, contentType);
    const models = parts
      .filter(({ name }) => isModelKey(name))
      .map(({ start, end }) => body.toString('utf8', start, end).trim());
    return { models, outermost: models.length };
  } catch {
    return { models: [], outermost: 0 };
  }
}
