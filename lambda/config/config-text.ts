import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { suggestion } from './closest-name.ts';

/** Everything that is wrong with a config file, a line each, each with its place. */
export class ConfigFileError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The config file has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}`);
    this.name = 'ConfigFileError';
    this.problems = problems;
  }
}

/** One named thing of the file; `at` is its place, `line 3:5`. */
export type ConfigEntry = { name: string; value: unknown; at: string };

const sectionNames = ['providers', 'models', 'keys', 'secrets', 'settings'] as const;

/** The entries of the file by section. */
export type ConfigSections = Record<(typeof sectionNames)[number], ConfigEntry[]>;

/** Reads YAML, and so JSON; throws a `ConfigFileError` when the text is not built as a config file is. */
export function parseConfigText(text: string): ConfigSections {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'core', version: '1.2', lineCounter: lines, prettyErrors: false });
  const at = (offset = 0) => `line ${lines.linePos(offset).line}:${lines.linePos(offset).col}`;
  // What follows the colon is source text, which may be a key.
  const syntax = document.errors.map(({ message, pos }) => `${at(pos[0])}: ${message.replace(/: .*/s, '')}`);
  if (syntax.length > 0) throw new ConfigFileError(syntax);

  const problems: string[] = [];
  const sections = readSections(document, { at, problems });
  if (problems.length > 0) throw new ConfigFileError(problems);
  return sections;
}

type Reading = { at: (offset?: number) => string; problems: string[] };

function readSections(document: Document.Parsed, reading: Reading): ConfigSections {
  const sections: ConfigSections = { providers: [], models: [], keys: [], secrets: [], settings: [] };
  const root = document.contents;
  if (root === null) return sections;
  if (!isMap(root)) {
    reading.problems.push(`line 1:1: the file must be a map of ${sectionNames.join(', ')}`);
    return sections;
  }
  for (const { name, node, at } of mapEntries(root, reading)) {
    const section = sectionNames.find((known) => known === name);
    if (!section) reading.problems.push(`${at} ${name}: unknown section${suggestion(name, sectionNames)}`);
    else sections[section] = readSection(section, node, { document, at, reading });
  }
  return sections;
}

type Section = { document: Document.Parsed; at: string; reading: Reading };

function readSection(section: string, node: Node | null, { document, at, reading }: Section): ConfigEntry[] {
  const plain = (inner: Node | null) => inner?.toJS(document, { maxAliasCount: 1000 }) ?? null;
  if (node === null || (isScalar(node) && node.value === null)) return [];
  if (isMap(node)) {
    if (section === 'settings') return [{ name: 'default', value: plain(node), at }];
    return mapEntries(node, reading).map((entry) => ({ name: entry.name, value: plain(entry.node), at: entry.at }));
  }
  const listable = section !== 'settings' && section !== 'secrets';
  if (!listable || !isSeq(node)) {
    reading.problems.push(`${at} ${section}: must be a map${listable ? ' by name, or a list' : ''}`);
    return [];
  }
  return node.items.flatMap((item) => listEntry(section, item as Node, { document, at, reading }));
}

function listEntry(section: string, node: Node, { document, reading }: Section): ConfigEntry[] {
  const value: unknown = node.toJS(document, { maxAliasCount: 1000 });
  const at = reading.at(node.range?.[0]);
  const fields = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const name = fields['name'] ?? (section === 'keys' ? fields['label'] : undefined);
  if (typeof name === 'string') return [{ name, value, at }];
  reading.problems.push(`${at} ${section}: an entry of a list needs a name that is a string`);
  return [];
}

function mapEntries(map: YAMLMap, reading: Reading): { name: string; node: Node | null; at: string }[] {
  return map.items.flatMap(({ key, value }) => {
    // The source of a key, not its value: the model `4.10` must not become 4.1.
    if (isScalar(key)) {
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
      return [{ name, node: value as Node | null, at: reading.at(key.range?.[0]) }];
    }
    reading.problems.push(`${reading.at((key as Node | null)?.range?.[0])}: a name must be a string`);
    return [];
  });
}
