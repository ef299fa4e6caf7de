import type { Snapshot } from '../config/snapshot.ts';
import { type Auth, catalogueEntry, type Dialect } from './catalogue.ts';

/** A provider ready to be called: its catalogue entry with what configuration says on top. */
export type Provider = {
  name: string;
  telemetryName: string;
  /** Without a slash at the end; a path prefix in it is kept. */
  baseUrl: string;
  auth: Auth;
  paths: Partial<Record<Dialect, string>>;
  apiVersion: string | undefined;
  deployments: Readonly<Record<string, string>>;
  headers: Readonly<Record<string, string>>;
  /** Entries of the vendor secret that may hold its keys, the first present one counts. */
  secretNames: readonly string[];
  keyOptional: boolean;
  refusesStreamOptions: boolean;
};

/**
 * The provider of that name: a configured one, or one of the catalogue, which needs no configuration as long as its
 * address is the same for everyone.
 */
export function findProvider(snapshot: Snapshot, name: string): Provider | undefined {
  const configured = Object.hasOwn(snapshot.providers, name) ? snapshot.providers[name] : undefined;
  const entry = catalogueEntry(configured?.type ?? name);
  const baseUrl = configured?.baseUrl ?? entry?.baseUrl;
  if (!entry || !baseUrl) return undefined;
  return {
    name: configured ? name : entry.name,
    telemetryName: entry.telemetryName,
    baseUrl: baseUrl.replace(/\/+$/, ''),
    auth: entry.auth,
    paths: entry.paths,
    apiVersion: configured?.apiVersion ?? entry.apiVersion,
    deployments: configured?.deployments ?? {},
    headers: configured?.headers ?? {},
    secretNames: configured?.secret ? [configured.secret] : [...new Set([name, entry.name])],
    keyOptional: entry.keyOptional ?? false,
    refusesStreamOptions: entry.refusesStreamOptions ?? false,
  };
}

/** Where a request of that dialect goes; undefined when the provider does not speak it. */
export function endpointUrl(provider: Provider, dialect: Dialect, model: string): string | undefined {
  const path = provider.paths[dialect];
  if (path === undefined) return undefined;
  const deployment = Object.hasOwn(provider.deployments, model) ? provider.deployments[model] : undefined;
  const filled = path
    .replace('{deployment}', encodeURIComponent(deployment ?? model))
    .replace('{apiVersion}', encodeURIComponent(provider.apiVersion ?? ''));
  return provider.baseUrl + filled;
}

/** The header that carries the key, as the provider wants it. */
export function authHeaders(auth: Auth, secret: string | undefined): Record<string, string> {
  if (secret === undefined || auth.kind === 'none') return {};
  return auth.kind === 'bearer' ? { authorization: `Bearer ${secret}` } : { [auth.name]: secret };
}
