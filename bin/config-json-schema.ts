import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { type ItemKind, itemSchemas } from '../lambda/config/schema.ts';
import { timeoutsSchema } from '../lambda/config/value-schemas.ts';

type JsonSchema = { [keyword: string]: unknown };
type FieldOf<K extends ItemKind> = keyof (typeof itemSchemas)[K]['entries'];

const timeouts = 'Limits in milliseconds.';

/** What editors show beside a field. Complete by its type: a field without a sentence does not compile. */
const descriptions: { [K in ItemKind]: Record<FieldOf<K>, string> } = {
  provider: {
    name: 'Name in targets: the half before the slash of provider/model.',
    type: 'Entry of the catalogue whose protocol it speaks. Default: the entry of its own name, else openai-compatible.',
    baseUrl: 'Address, with https:// or http://, up to where the paths of the API begin.',
    region: 'Region, for types that have one (aws-bedrock, google-vertex-ai).',
    project: 'Project of Google Cloud (google-vertex-ai). Default: that of the service account.',
    apiVersion: 'API version, for types that have one (azure-openai).',
    deployments:
      'Model name to deployment name, for types that have deployments (azure-openai). Default: the same name.',
    secret: 'Entry of the vendor secret that holds its keys. Default: the entry of its own name, then of its type.',
    cloudflareGateway:
      "Cloudflare's AI Gateway through which it is called: account and gateway, or the url of a domain of its own; provider where it is a custom one there, secret for another entry than cloudflare-ai-gateway, universal to have the keys of the provider tried there one after the other.",
    keys: 'Which of several keys a request takes: rotation (random, round-robin, priority, weighted) and weights, by the places of the keys.',
    headers: 'Further headers of every request. Never keys: those belong in the vendor secret.',
  },
  model: {
    name: 'Name that callers ask for.',
    targets:
      'Where the model is served: provider/model, or a map with target, weight and continuesPartial (it goes on behind the beginning of an answer).',
    unsupportedParameters:
      'What becomes of a parameter that the target cannot honour: reject (default) answers 400, drop leaves it out.',
    onStreamFailure:
      'What becomes of a stream that breaks after it has begun: error (default) ends it with an error event, resume asks another target to go on.',
    strategy: 'Order in which the targets are tried. Default: latency.',
    rules:
      'What is different for some requests: the first rule whose conditions (when) all hold decides, by use or by split.',
    affinity:
      'Whether conversations stay with the target whose prompt cache knows them: conversation (default; x-session-id, else the first messages), session (x-session-id only), none.',
    hedge: 'Starts the next target too when the first one is silent for longer than usual. Default: never.',
    fallbacks: 'Configured models to try when no target answers. Their own fallbacks are not followed.',
    timeouts,
  },
  key: {
    name: 'SHA-256 of the key: 64 lower-case hexadecimal digits.',
    label: 'Whose key it is, for logs.',
    models: 'Models that it may use, * for any characters. Default: all.',
    disabled: 'True lets nobody in.',
    expiresAt: 'ISO 8601 time from which on it lets nobody in.',
  },
  settings: {
    name: 'Always default.',
    unsupportedParameters:
      'What becomes of a parameter that the target cannot honour: reject (default) answers 400, drop leaves it out.',
    onStreamFailure: 'For all models that do not say it themselves: error (default) or resume.',
    defaultModel: 'Model of requests that name none: a configured one, or provider/model.',
    probes:
      'Tiny requests to targets of which too little is known: enabled (default true), staleAfterMinutes, dailyTokens.',
    passThrough: "False closes the paths of vendors' own APIs, /{provider}/…. Default: true.",
    timeouts,
  },
};

const timeoutDescriptions: Record<keyof typeof timeoutsSchema.entries, string> = {
  connectMs: 'To connect to the provider.',
  firstContentMs: 'To the first content of a streamed answer.',
  answerMs:
    'To the whole of a buffered answer. Default: as long as the request may take, less what other targets need.',
  idleMs: 'Between two pieces of a streamed answer.',
  waitMs: 'The longest Retry-After that is waited for when no other target is left. 0: never.',
  totalMs: 'For the whole request, all attempts together.',
};

/** JSON Schema of the config file; its `$defs` describe the items of the config table. */
export function configJsonSchema(): JsonSchema {
  const items = {
    provider: itemJsonSchema('provider'),
    model: itemJsonSchema('model'),
    key: itemJsonSchema('key'),
    settings: itemJsonSchema('settings'),
  } satisfies Record<ItemKind, JsonSchema>;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Sluice configuration',
    type: 'object',
    properties: {
      providers: { description: 'Vendor APIs.', ...byName([items.provider]) },
      models: { description: 'Models that callers ask for by name.', ...byName([items.model]) },
      keys: { description: 'Keys of the callers.', ...byName([items.key, plainKey(items.key)]) },
      secrets: {
        description: 'Keys of the vendors by provider: one, a comma list, or a list.',
        type: 'object',
        additionalProperties: { type: ['string', 'array'], items: { type: 'string' } },
      },
      settings: without(items.settings, ['kind', 'name']),
    },
    additionalProperties: false,
    $defs: items,
  };
}

type ObjectSchema = JsonSchema & { properties: Record<string, JsonSchema>; required: string[] };

function itemJsonSchema(kind: ItemKind): ObjectSchema {
  const schema = objectSchema(itemSchemas[kind], descriptions[kind]);
  const { timeouts } = schema.properties;
  if (timeouts) Object.assign(timeouts, objectSchema(timeoutsSchema, timeoutDescriptions));
  return {
    ...schema,
    properties: { kind: { const: kind }, ...schema.properties },
    required: ['kind', ...schema.required],
  };
}

/** What only code can check is left out; the compiler checks it. */
function objectSchema(schema: v.GenericSchema, texts: Record<string, string>): ObjectSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, { errorMode: 'ignore' });
  const properties = Object.entries(rest.properties as Record<string, JsonSchema>);
  return {
    ...rest,
    properties: Object.fromEntries(properties.map(([name, field]) => [name, { description: texts[name], ...field }])),
    required: rest.required ?? [],
  };
}

/** A map by name, or a list of maps that hold their name. */
function byName(schemas: ObjectSchema[]): JsonSchema {
  const anyOf = (alternatives: ObjectSchema[]) =>
    alternatives.length === 1 ? alternatives[0] : { anyOf: alternatives };
  return {
    anyOf: [
      { type: 'object', additionalProperties: anyOf(schemas.map((schema) => without(schema, ['kind', 'name']))) },
      { type: 'array', items: anyOf(schemas.map((schema) => without(schema, ['kind']))) },
    ],
  };
}

/** The form of a key that only a file has: in plain text, under its label. */
function plainKey(schema: ObjectSchema): ObjectSchema {
  const { properties, required } = without(schema, ['name']);
  const name = { type: 'string', description: 'Becomes the label.' };
  const key = { type: 'string', description: 'The key itself, or a variable that holds it. Only its SHA-256 is kept.' };
  return { ...schema, properties: { ...properties, name, key }, required: [...required, 'key'] };
}

function without(schema: ObjectSchema, names: string[]): ObjectSchema {
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(schema.properties).filter(([name]) => !names.includes(name))),
    required: schema.required.filter((name) => !names.includes(name)),
  };
}
