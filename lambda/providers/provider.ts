import type { Snapshot } from '../config/snapshot.ts';
import type { DialectName } from '../dialects/chat-request.ts';
import { type Auth, catalogueEntry, type EndpointPath } from './catalogue.ts';

/** A provider ready to be called: its catalogue entry with what configuration says on top. */
export type Provider = {
  name: string;
  telemetryName: string;
  /** Where it listens. */
  origin: Origin;
  /** The base URL's path, kept in front of every path of the API; without a slash at the end. */
  basePath: string;
  auth: Auth;
  paths: Partial<Record<DialectName, EndpointPath>>;
  apiVersion: string | undefined;
  /** The AWS region, for providers that sign. */
  region: string | undefined;
  deployments: Readonly<Record<string, string>>;
  /** Headers of its API, which a caller's own replace, and those of the operator, which nothing replaces. */
  apiHeaders: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
  /** Entries of the vendor secret that may hold its keys, the first present one counts. */
  secretNames: readonly string[];
  keyOptional: boolean;
  maxTokensField: string;
  refusesStreamOptions: boolean;
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
  const region = configured?.region;
  const baseUrl = configured?.baseUrl ?? entry?.baseUrl ?? (region && entry?.regionalUrl?.replace('{region}', region));
  if (!entry || !baseUrl) return undefined;
  const url = new URL(baseUrl);
  const secure = url.protocol === 'https:';
  return {
    name,
    telemetryName: entry.telemetryName,
    // A literal IPv6 address stands in brackets in a URL and nowhere else.
    origin: {
      secure,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port) || (secure ? 443 : 80),
      host: url.host,
    },
    basePath: url.pathname.replace(/\/+$/, ''),
    auth: entry.auth,
    paths: entry.paths,
    apiVersion: configured?.apiVersion ?? entry.apiVersion,
    region,
    deployments: configured?.deployments ?? {},
    apiHeaders: entry.headers ?? {},
    headers: lowerCased(configured?.headers ?? {}),
    secretNames: configured?.secret ? [configured.secret] : [...new Set([name, entry.name])],
    keyOptional: entry.keyOptional ?? false,
    maxTokensField: entry.maxTokensField ?? 'max_tokens',
    refusesStreamOptions: entry.refusesStreamOptions ?? false,
  };
}

/** So that a header of the gateway is replaced instead of sent beside it. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** The dialect to speak with a provider: the caller's own if it can, so that nothing is lost, else its first. */
export function spokenDialect(provider: Provider, preferred: DialectName): DialectName | undefined {
  const [first] = Object.keys(provider.paths) as DialectName[];
  return provider.paths[preferred] === undefined ? first : preferred;
}

/** The path of a request of that dialect; undefined when the provider does not speak it or cannot have that model. */
export function endpointPath(
  provider: Provider,
  dialect: DialectName,
  { model, stream }: { model: string; stream: boolean },
): string | undefined {
  const either = provider.paths[dialect];
  if (either === undefined) return undefined;
  const path = typeof either === 'string' ? either : either[stream ? 'streamed' : 'buffered'];
  if (!path.includes('{')) return provider.basePath + path;
  const deployment = (Object.hasOwn(provider.deployments, model) && provider.deployments[model]) || model;
  // Dots are not encoded, and as a segment of their own would lead to another path.
  if (deployment === '.' || deployment === '..') return undefined;
  const filled = path
    .replace(/\{(?:deployment|model)\}/, () => encodeURIComponent(deployment.toWellFormed()))
    .replace('{apiVersion}', () => encodeURIComponent(provider.apiVersion ?? ''));
  return provider.basePath + filled;
}

/** The header that carries the key, as the provider wants it. */
export function authHeaders(auth: Auth, secret: string | undefined): Record<string, string> {
  if (secret === undefined) return {};
  return auth.kind === 'header' ? { [auth.name]: secret } : { authorization: `Bearer ${secret}` };
}
