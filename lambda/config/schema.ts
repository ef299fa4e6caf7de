import * as v from 'valibot';
import { reservedProviderNames } from './reserved-names.ts';
import {
  affinitySchema,
  hedgeSchema,
  keysSchema,
  rulesSchema,
  strategySchema,
  targetsSchema,
} from './routing-schema.ts';
import { streamFailurePolicies } from './stream-failure.ts';
import { timeoutsSchema } from './value-schemas.ts';

const providerName = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'use lower-case letters, digits, ".", "_" and "-", 63 characters at most'),
  v.check((name) => !reservedProviderNames.includes(name), 'is a path of the gateway; choose another name'),
);

const modelName = v.pipe(
  v.string(),
  v.regex(/^[^\s,]{1,200}$/, 'use 1 to 200 characters without spaces and commas'),
  v.check((name) => !name.includes('@@'), 'must not contain "@@", which pins a model to a provider'),
);

const baseUrl = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/./, 'must start with https:// or http://'),
  v.url('must be a URL'),
  v.check((url) => !/[?#]/.test(url), 'must not contain "?" or "#"'),
  v.check(
    (url) => !/^https?:\/\/[^/]*@/.test(url),
    'must not contain a user name or password; keys belong in the secret',
  ),
);

/** It becomes part of a path, so nothing that could leave its segment. */
const pathSegment = v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'use letters, digits, "_", "." and "-"'));

/** What the gateway sets itself, and where keys would stand: a key in the table could be read by everyone who reads it. */
const forbiddenHeaders = [
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'cf-aig-authorization',
  'host',
  'connection',
  'content-length',
  'content-type',
  'transfer-encoding',
];

const headerName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9-]+$/, 'is not a header name: use letters, digits and "-"'),
  v.check(
    (name) => !forbiddenHeaders.includes(name.toLowerCase()),
    'is set by the gateway; keys belong in the vendor secret',
  ),
);

const headerValue = v.pipe(v.string(), v.regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII'));

/** The AI Gateway of Cloudflare's through which a provider is called: by account and name, or at a domain of its own. */
export const cloudflareGatewaySchema = v.strictObject({
  account: v.optional(pathSegment),
  gateway: v.optional(pathSegment),
  url: v.optional(baseUrl),
  provider: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,99}$/, 'use lower-case letters, digits and "-"')),
  ),
  secret: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  universal: v.optional(v.boolean()),
});

export const providerSchema = v.strictObject({
  name: providerName,
  type: v.optional(v.string()),
  baseUrl: v.optional(baseUrl),
  region: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]{2,40}$/, 'must be the name of a region'))),
  project: v.optional(
    v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.:-]{0,62}$/, 'must be the ID or number of a project of Google Cloud')),
  ),
  apiVersion: v.optional(pathSegment),
  deployments: v.optional(v.record(v.string(), pathSegment)),
  secret: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  headers: v.optional(v.record(headerName, headerValue)),
  cloudflareGateway: v.optional(cloudflareGatewaySchema),
  keys: v.optional(keysSchema),
});

/** What becomes of a parameter that the chosen vendor cannot honour: a 400 that names it, or a header that does. */
const unsupportedParametersSchema = v.picklist(['reject', 'drop']);

const onStreamFailureSchema = v.picklist(streamFailurePolicies);

export const modelSchema = v.strictObject({
  name: modelName,
  targets: targetsSchema,
  strategy: v.optional(strategySchema),
  rules: v.optional(rulesSchema),
  affinity: v.optional(affinitySchema),
  hedge: v.optional(hedgeSchema),
  unsupportedParameters: v.optional(unsupportedParametersSchema),
  onStreamFailure: v.optional(onStreamFailureSchema),
  fallbacks: v.optional(v.pipe(v.array(modelName), v.maxLength(20, 'takes at most 20 models'))),
  timeouts: v.optional(timeoutsSchema),
});

export const keySchema = v.strictObject({
  name: v.pipe(
    v.string(),
    v.regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of the key: 64 lower-case hexadecimal digits'),
  ),
  label: v.optional(
    v.pipe(v.string(), v.nonEmpty('must not be empty'), v.maxLength(100, 'takes at most 100 characters')),
  ),
  models: v.optional(
    v.pipe(
      v.array(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
      v.minLength(1, 'needs at least one model; leave the field out to allow all'),
    ),
  ),
  disabled: v.optional(v.boolean()),
  expiresAt: v.optional(v.pipe(v.string(), v.isoTimestamp('must be an ISO 8601 time such as 2027-01-31T00:00:00Z'))),
});

/** Tiny requests to targets of which too little is known. */
export const probesSchema = v.strictObject({
  enabled: v.optional(v.boolean()),
  /** Knowledge of a target that is older is refreshed, where it is thin as well. */
  staleAfterMinutes: v.optional(
    v.pipe(v.number(), v.minValue(1, 'must be at least 1'), v.maxValue(60, 'must be at most 60')),
  ),
  /** For each target and day; 64 of them allow one probe. */
  dailyTokens: v.optional(
    v.pipe(v.number(), v.integer('must be a whole number'), v.minValue(0, 'must not be negative')),
  ),
});

export const settingsSchema = v.strictObject({
  name: v.literal('default'),
  passThrough: v.optional(v.boolean()),
  defaultModel: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  unsupportedParameters: v.optional(unsupportedParametersSchema),
  onStreamFailure: v.optional(onStreamFailureSchema),
  timeouts: v.optional(timeoutsSchema),
  probes: v.optional(probesSchema),
});

/** The four kinds of item that people write, by kind. */
export const itemSchemas = {
  provider: providerSchema,
  model: modelSchema,
  key: keySchema,
  settings: settingsSchema,
} as const;

export type Timeouts = v.InferOutput<typeof timeoutsSchema>;
export type ProviderItem = v.InferOutput<typeof providerSchema>;
export type ModelItem = v.InferOutput<typeof modelSchema>;
export type KeyItem = v.InferOutput<typeof keySchema>;
export type SettingsItem = v.InferOutput<typeof settingsSchema>;
export type ItemKind = keyof typeof itemSchemas;
