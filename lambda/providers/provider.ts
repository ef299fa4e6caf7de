import type { KeyRotation } from '../config/routing-schema.ts';
import type { Snapshot } from '../config/snapshot.ts';
import type { CallIdForm } from '../dialects/call-ids.ts';
import type { DialectName } from '../dialects/chat-request.ts';
import type { ThoughtsField } from '../dialects/dialect.ts';
import type { ProviderError } from '../dialects/provider-error.ts';
import { catalogueEntry } from './catalogue.ts';
import type {
  AnswerHosts,
  Auth,
  BodyMembers,
  CatalogueEntry,
  EndpointPath,
  ErrorRule,
  ModelRoute,
  Regions,
} from './catalogue-entry.ts';
import { type CloudflareGateway, cloudflareTokenName, cloudflareUrl, gatewayUrl } from './cloudflare-gateway.ts';

/** A provider ready to be called: its catalogue entry with what configuration says on top. */
export type Provider = {
  name: string;
  /** The name of its catalogue entry. */
  type: string;
  telemetryName: string;
  /** Where it listens. */
  origin: Origin;
  /** The base URL's path, kept in front of every path of the API; without a slash at the end. */
  basePath: string;
  auth: Auth;
  paths: Partial<Record<DialectName, EndpointPath>>;
  models: readonly ModelRoute[];
  body: Partial<Record<DialectName, BodyMembers>>;
  apiVersion: string | undefined;
  /** Where it has addresses in each region: the one that is called. */
  region: string | undefined;
  answersAt: AnswerHosts | undefined;
  errors: readonly ErrorRule[];
  /** The project at Google, when it is not the key's own. */
  project: string | undefined;
  deployments: Readonly<Record<string, string>>;
  /** Headers of its API, which a caller's own replace, and those of the operator, which nothing replaces. */
  apiHeaders: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
  /** The entry of the vendor secret with the token of Cloudflare's gateway, where one stands before the provider. */
  cloudflareToken?: string;
  /** The path of the gateway's universal endpoint, where that is called instead of the vendor's place there. */
  universalPath?: string;
  /** As whom it is called by signature, which is not always where. */
  signedAs: Address | undefined;
  /** Entries of the vendor secret that may hold its keys, the first present one counts. */
  secretNames: readonly string[];
  /** How its keys take turns. */
  keys: { rotation: KeyRotation; weights: readonly number[] };
  keyOptional: boolean;
  maxTokensField: string;
  refusesStreamOptions: boolean;
  refusesCallIds: boolean;
  thoughtsField: ThoughtsField | undefined;
  takesCacheHints: boolean;
  readsRoutingFields: boolean;
  callIds: CallIdForm;
};

/** `host` is the header's value: the port is in it when it is not the usual one. */
export type Origin = { secure: boolean; hostname: string; port: number; host: string };

const providersOf = new WeakMap<Snapshot, Map<string, Provider>>();

/**
 * The provider of that name: a configured one, or one of the catalogue, which needs no configuration as long as its
 * address is the same for everyone. Remembered as long as the snapshot is.
 */
export function findProvider(snapshot: Snapshot, name: string): Provider | undefined {
  const known = providersOf.get(snapshot) ?? new Map<string, Provider>();
  providersOf.set(snapshot, known);
  const provider = known.get(name) ?? buildProvider(snapshot, name);
  if (provider) known.set(name, provider);
  return provider;
}

function buildProvider(snapshot: Snapshot, called: string): Provider | undefined {
  // An alias must not lead past what is configured under the name it stands for.
  const name = Object.hasOwn(snapshot.providers, called) ? called : (catalogueEntry(called)?.name ?? called);
  const configured = Object.hasOwn(snapshot.providers, name) ? snapshot.providers[name] : undefined;
  const entry = catalogueEntry(configured?.type ?? name);
  if (!entry) return undefined;
  const region = configured?.region ?? entry.regions?.default;
  const ownUrl = configured?.baseUrl ?? entry.baseUrl ?? regionalUrl(entry.regions, region);
  const gateway = configured?.cloudflareGateway;
  const baseUrl = gateway ? cloudflareUrl(gateway, { entry, baseUrl: ownUrl, region }) : ownUrl;
  if (!baseUrl) return undefined;
  const protocol = protocolOf(entry, configured?.apiVersion ?? entry.apiVersion);
  return {
    name,
    type: entry.name,
    telemetryName: entry.telemetryName,
    ...addressOf(baseUrl),
    ...protocol,
    ...(gateway ? throughGateway(gateway, entry, protocol.paths) : {}),
    signedAs: ownUrl === undefined ? undefined : addressOf(ownUrl),
    region,
    project: configured?.project,
    deployments: configured?.deployments ?? {},
    apiHeaders: entry.headers ?? {},
    headers: lowerCased(configured?.headers ?? {}),
    keys: { rotation: configured?.keys?.rotation ?? 'random', weights: configured?.keys?.weights ?? [] },
    secretNames: configured?.secret ? [configured.secret] : [...new Set([name, entry.name])],
  };
}

/** Where a provider listens. */
type Address = Pick<Provider, 'origin' | 'basePath'>;

function addressOf(baseUrl: string): Address {
  const url = new URL(baseUrl);
  return { origin: originOf(url), basePath: url.pathname.replace(/\/+$/, '') };
}

/** What differs where Cloudflare's gateway stands before a provider, which may have the keys of vendors itself. */
function throughGateway(gateway: CloudflareGateway, { cloudflare }: CatalogueEntry, paths: Provider['paths']) {
  return {
    cloudflareToken: gateway.secret ?? cloudflareTokenName,
    keyOptional: true,
    ...(gateway.universal ? { universalPath: addressOf(gatewayUrl(gateway)).basePath } : {}),
    paths: gateway.provider === undefined ? (cloudflare?.paths ?? paths) : paths,
  };
}

/** What the catalogue alone says. */
function protocolOf(entry: CatalogueEntry, apiVersion: string | undefined) {
  const { versions = {} } = entry;
  const ofVersion = apiVersion !== undefined && Object.hasOwn(versions, apiVersion) ? versions[apiVersion] : {};
  return {
    auth: entry.auth,
    apiVersion,
    paths: { ...entry.paths, ...ofVersion },
    models: entry.models ?? [],
    body: entry.body ?? {},
    answersAt: entry.answersAt,
    errors: entry.errors ?? [],
    keyOptional: entry.keyOptional ?? false,
    maxTokensField: entry.maxTokensField ?? 'max_tokens',
    refusesStreamOptions: entry.refusesStreamOptions ?? false,
    refusesCallIds: entry.refusesCallIds ?? false,
    thoughtsField: entry.thoughtsField,
    takesCacheHints: entry.takesCacheHints ?? false,
    readsRoutingFields: entry.readsRoutingFields ?? false,
    callIds: entry.callIds ?? 'openai',
  };
}

function regionalUrl(regions: Regions | undefined, region: string | undefined): string | undefined {
  if (!regions || region === undefined) return undefined;
  const special = regions.urls && Object.hasOwn(regions.urls, region) ? regions.urls[region] : undefined;
  return special ?? regions.url.replace('{region}', () => region);
}

/** Where an address leads. A literal IPv6 address stands in brackets in a URL and nowhere else. */
export function originOf(url: URL): Origin {
  const secure = url.protocol === 'https:';
  const port = Number(url.port) || (secure ? 443 : 80);
  return { secure, hostname: url.hostname.replace(/^\[|\]$/g, ''), port, host: url.host };
}

/** So that a header of the gateway is replaced instead of sent beside it. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** How a provider is asked for a model: in which dialect, and under which name, which a deployment may have chosen. */
export type SpokenModel = { dialect: DialectName; model: string; name: string };

/** The dialect to speak about a model: the caller's own if possible, so that nothing is lost, else the first. */
export function spokenModel(provider: Provider, model: string, preferred: DialectName): SpokenModel | undefined {
  const route = provider.models.find(({ pattern }) => pattern.test(model));
  const dialects = route?.dialects ?? (Object.keys(provider.paths) as DialectName[]);
  const dialect = dialects.includes(preferred) ? preferred : dialects[0];
  const deployment = Object.hasOwn(provider.deployments, model) ? provider.deployments[model] : undefined;
  const own = route?.pattern.exec(model)?.[1] ?? model;
  return dialect && { dialect, model: own, name: deployment ?? own };
}

/** What of a request stands in its path. The project may be that of the key. */
export type PathContext = { stream: boolean; project?: string | undefined };

/** The path of a request about a model; undefined when the provider cannot have a model of that name. */
export function endpointPath(
  provider: Provider,
  { dialect, name }: Pick<SpokenModel, 'dialect' | 'name'>,
  { stream, project = provider.project }: PathContext,
): string | undefined {
  const either = provider.paths[dialect];
  if (either === undefined) return undefined;
  return filledPath(
    provider,
    typeof either === 'string' ? either : either[stream ? 'streamed' : 'buffered'],
    name,
    project,
  );
}

/** A path of the catalogue with its places filled in. */
export function filledPath(
  provider: Provider,
  path: string,
  name: string,
  project: string | undefined,
): string | undefined {
  if (!path.includes('{')) return provider.basePath + path;
  // Dots are not encoded, and as a segment of their own would lead to another path.
  if (name === '.' || name === '..') return undefined;
  const filled = path
    .replace(/\{(?:deployment|model)\}/, () => encodeSegment(name))
    .replace('{location}', () => locationPath(project, provider.region))
    .replace('{apiVersion}', () => encodeURIComponent(provider.apiVersion ?? ''));
  return provider.basePath + filled;
}

/** API keys of Google's express mode stand for a project, whose paths name none. */
function locationPath(project: string | undefined, region = ''): string {
  return project === undefined ? '' : `/projects/${encodeSegment(project)}/locations/${encodeSegment(region)}`;
}

/** The sign that Google has in the names of Claude's models may stand in a path as it is. */
function encodeSegment(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll('%40', '@');
}

/** The header that carries the key, as the provider wants it. */
export function authHeaders(auth: Auth, secret: string | undefined): Record<string, string> {
  if (secret === undefined) return {};
  if (auth.kind !== 'header') return { authorization: `Bearer ${secret}` };
  return { [auth.name]: (auth.prefix ?? '') + secret };
}

/** The error with the code that this provider's rules give it. */
export function withMeaning(error: ProviderError, status: number, rules: readonly ErrorRule[]): ProviderError {
  const rule = rules.find(
    (one) =>
      (one.status === undefined || one.status === status) &&
      (one.type === undefined || one.type === error.type) &&
      (one.message === undefined || one.message.test(error.message ?? '')),
  );
  return rule ? { ...error, code: rule.means } : error;
}
