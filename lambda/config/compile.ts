import { suggestion } from './closest-name.ts';
import { compileModel } from './compile-model.ts';
import { compileProvider } from './compile-provider.ts';
import type { RawItem } from './raw-item.ts';
import { type KnownNames, splitTarget, targetProblem } from './resolve-target.ts';
import { itemSchemas } from './schema.ts';
import { recordByName, type Snapshot, type SnapshotContent, type TargetFacts } from './snapshot.ts';
import { itemLabel, type Validated, validateItem } from './validate-item.ts';

/** What a publication adds to the content: its number and its ISO 8601 time. */
export type CompileStamp = { version: number; compiledAt: string };

/** A snapshot, or every reason why there is none, one sentence each (`model/gpt-4o targets[0]: …`). */
export type CompileResult = { snapshot: Snapshot } | { errors: string[] };

/**
 * Validates all items together and makes the snapshot that the gateway serves from. Key items are checked and left
 * out: they are looked up one by one. The order of the items makes no difference.
 */
export function compileSnapshot(
  items: readonly RawItem[],
  stamp: CompileStamp,
  factsOf: FactsOf = () => ({}),
): CompileResult {
  const errors = [...items.flatMap(unknownKind), ...repeatedItems(items)];
  const ofKind = (kind: string) => items.filter((item) => item.kind === kind);
  const each = <T>(kind: string, compileItem: (item: RawItem) => Validated<T>): T[] =>
    ofKind(kind).flatMap((item) => {
      const result = compileItem(item);
      if ('value' in result) return [result.value];
      errors.push(...result.errors);
      return [];
    });

  // Names whose own item is wrong still count as known: one mistake, one message.
  const known = { providers: namesOf(ofKind('provider')), models: namesOf(ofKind('model')) };
  each('key', (item) => validateItem('key', item));
  const providers = recordByName(each('provider', compileProvider));
  const typeOf = (name: string) => (Object.hasOwn(providers, name) ? providers[name]?.type : undefined) ?? name;
  const models = recordByName(
    each('model', (item) =>
      compileModel(item, { known, factsOf: (target) => factsOf(typeOf(target.provider), target.model) }),
    ),
  );
  const [settings = {}] = each('settings', (item) => compileSettings(item, known));

  if (errors.length > 0) return { errors: errors.sort() };
  return { snapshot: { ...stamp, providers, models, settings } };
}

/** What is publicly known of a model at a provider of a type of the catalogue; `{}` where nothing is. */
export type FactsOf = (providerType: string, model: string) => TargetFacts;

function compileSettings(item: RawItem, known: KnownNames): Validated<SnapshotContent['settings']> {
  const result = validateItem('settings', item);
  if ('errors' in result) return result;
  const { name: _, ...settings } = result.value;
  const { defaultModel } = settings;
  if (defaultModel === undefined || known.models.has(defaultModel)) return { value: settings };
  const at = 'settings/default defaultModel:';
  if (!defaultModel.includes('/')) {
    return { errors: [`${at} model "${defaultModel}" is not configured${suggestion(defaultModel, known.models)}`] };
  }
  const problem = targetProblem(splitTarget(defaultModel), known);
  return problem ? { errors: [`${at} ${problem}`] } : { value: settings };
}

function unknownKind(item: RawItem): string[] {
  if (Object.hasOwn(itemSchemas, item.kind)) return [];
  return [`${item.kind}/${item.name}: unknown kind${suggestion(item.kind, Object.keys(itemSchemas))}`];
}

function repeatedItems(items: readonly RawItem[]): string[] {
  const seen = new Set<string>();
  return items.flatMap((item) => {
    const id = `${item.kind}/${item.name}`;
    if (seen.has(id)) return [`${itemLabel(item)}: is there more than once`];
    seen.add(id);
    return [];
  });
}

function namesOf(items: readonly RawItem[]): Set<string> {
  return new Set(items.map((item) => item.name).sort());
}
