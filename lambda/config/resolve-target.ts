import { catalogue, catalogueEntry } from '../providers/catalogue.ts';
import { suggestion } from './closest-name.ts';

/** The names that items may refer to besides the catalogue's. */
export type KnownNames = { providers: ReadonlySet<string>; models: ReadonlySet<string> };

/** A target in two halves. */
export type Target = { provider: string; model: string };

/** Splits `provider/model` at the first slash; further slashes belong to the model. */
export function splitTarget(target: string): Target {
  const slash = target.indexOf('/');
  return { provider: target.slice(0, slash), model: target.slice(slash + 1) };
}

/** The configured provider of that name, else the catalogue's own name for it (`grok` → `xai`). */
export function providerName(name: string, known: Pick<KnownNames, 'providers'>): string {
  return known.providers.has(name) ? name : (catalogueEntry(name)?.name ?? name);
}

/** Why a target cannot be called, if so: it names no model, or its provider is unknown or has no address. */
export function targetProblem(target: Target, known: Pick<KnownNames, 'providers'>): string | undefined {
  if (target.model === '') return 'must have the form provider/model';
  if (known.providers.has(providerName(target.provider, known))) return undefined;
  const entry = catalogueEntry(target.provider);
  if (!entry) {
    const candidates = [...known.providers, ...catalogue.map(({ name }) => name)];
    return `provider "${target.provider}" is unknown${suggestion(target.provider, candidates)}`;
  }
  if (entry.baseUrl !== undefined || entry.regions?.default !== undefined) return undefined;
  const missing = entry.regions ? 'a region' : 'a baseUrl';
  return `provider "${target.provider}" has no address of its own; add provider/${entry.name} with ${missing}`;
}
