import { catalogue } from '../providers/catalogue.ts';
import { suggestion } from './closest-name.ts';
import { compileSnapshot } from './compile.ts';
import { type ConfigEntry, ConfigFileError, type ConfigSections, parseConfigText } from './config-text.ts';
import { configFromEnvironment } from './environment-config.ts';
import { type Environment, expandVariables } from './expand-variables.ts';
import type { RawItem } from './raw-item.ts';
import { itemLabel } from './validate-item.ts';
import { type VendorSecrets, vendorSecrets } from './vendor-secrets.ts';

/** What a config file is read with; `sha256` gives lower-case hexadecimal digits. */
export type ConfigFileContext = { environment: Environment; sha256: (text: string) => string };

/** The items that the file stands for, valid together, and the keys of the vendors. */
export type ConfigFile = { items: RawItem[]; secrets: VendorSecrets };

/**
 * Reads a config file, YAML or JSON; throws a `ConfigFileError` with all that is wrong, judged together with what the
 * environment adds (`configFromEnvironment`).
 */
export function parseConfigFile(text: string, { environment, sha256 }: ConfigFileContext): ConfigFile {
  const sections = parseConfigText(text);
  const problems: string[] = [];
  const expanded = (entry: ConfigEntry, label: string): ConfigEntry => {
    const missing = (name: string) =>
      problems.push(`${entry.at} ${label}: the environment variable ${name} is not set`);
    return { ...entry, value: expandVariables(entry.value, environment, missing) };
  };
  const toItem = (kind: string, entry: ConfigEntry) => placedItem(kind, entry, problems);

  const placed = [
    ...sections.providers.flatMap((entry) => toItem('provider', expanded(entry, `provider/${entry.name}`))),
    ...sections.models.flatMap((entry) => toItem('model', entry)),
    ...sections.keys.flatMap((entry) => toItem('key', hashedKey(expanded(entry, 'keys'), { sha256, problems }))),
    ...sections.settings.flatMap((entry) => toItem('settings', entry)),
  ];
  const secretEntries = sections.secrets.map((entry) => expanded(entry, `secrets/${entry.name}`));
  const secrets = readSecrets(secretEntries, problems);
  problems.push(...unusedSecrets(sections), ...compileProblems(placed, configFromEnvironment(environment).items));
  if (problems.length > 0) throw new ConfigFileError(problems);
  return { items: placed.map(({ item }) => item), secrets };
}

type PlacedItem = { item: RawItem; at: string };

function placedItem(kind: string, { name, value, at }: ConfigEntry, problems: string[]): PlacedItem[] {
  const label = itemLabel({ kind, name });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${at} ${label}: must be a map`);
    return [];
  }
  const fields = value as Record<string, unknown>;
  if ('kind' in fields) problems.push(`${at} ${label} kind: unknown field; the section says what it is`);
  if ('name' in fields && fields['name'] !== name) problems.push(`${at} ${label} name: differs from the name above it`);
  return [{ item: { ...fields, kind, name }, at }];
}

type Hashing = { sha256: ConfigFileContext['sha256']; problems: string[] };

/** A key in plain text becomes its hash, and the name that stood for it becomes the label. */
function hashedKey(entry: ConfigEntry, { sha256, problems }: Hashing): ConfigEntry {
  const { value, name: label, at } = entry;
  if (typeof value !== 'object' || value === null || !('key' in value)) return entry;
  const { key, name: _, ...fields } = value as Record<string, unknown>;
  if (typeof key !== 'string' || key.trim() === '') problems.push(`${at} keys key: must be a string that is not empty`);
  return { at, name: sha256(String(key).trim()), value: { label, ...fields } };
}

function readSecrets(entries: ConfigEntry[], problems: string[]): VendorSecrets {
  const readable = entries.filter(({ name, value, at }) => {
    try {
      vendorSecrets([[name, value]]);
      return true;
    } catch (error) {
      problems.push(`${at} secrets/${name}: ${(error as Error).message}`);
      return false;
    }
  });
  return vendorSecrets(readable.map(({ name, value }) => [name, value]));
}

function unusedSecrets({ providers, secrets }: ConfigSections): string[] {
  const known = new Set([
    ...providers.flatMap(({ name, value }) => [name, (value as { secret?: string } | null)?.secret ?? name]),
    ...catalogue.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
  ]);
  return secrets
    .filter(({ name }) => !known.has(name))
    .map(({ name, at }) => `${at} secrets/${name}: no provider uses it${suggestion(name, known)}`);
}

/** `beneath` are the items that the environment adds where the file has none of the same name. */
function compileProblems(placed: PlacedItem[], beneath: RawItem[]): string[] {
  const places = new Map(placed.map(({ item, at }) => [itemLabel(item), at]));
  const added = beneath.filter((item) => !places.has(itemLabel(item)));
  const items = [...added, ...placed.map(({ item }) => item)];
  const result = compileSnapshot(items, { version: 1, compiledAt: '' });
  if (!('errors' in result)) return [];
  return result.errors.map((problem) => {
    const at = [...places].find(([label]) => problem.startsWith(`${label} `) || problem.startsWith(`${label}:`))?.[1];
    return at ? `${at} ${problem}` : problem;
  });
}
