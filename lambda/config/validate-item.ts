import * as v from 'valibot';
import { suggestion } from './closest-name.ts';
import type { RawItem } from './raw-item.ts';
import { targetSchema } from './routing-schema.ts';
import { cloudflareGatewaySchema, type ItemKind, itemSchemas, probesSchema } from './schema.ts';
import { timeoutsSchema } from './value-schemas.ts';

type Output<K extends ItemKind> = v.InferOutput<(typeof itemSchemas)[K]>;

/** A value that fits its schema, or every reason why it does not, each beginning with the item and the field. */
export type Validated<T> = { value: T } | { errors: string[] };

/** Validates one item alone, by the schema of its kind. */
export function validateItem<K extends ItemKind>(kind: K, item: RawItem): Validated<Output<K>> {
  const { kind: _, ...fields } = item;
  const result = v.safeParse(itemSchemas[kind], withArrays(fields), { abortPipeEarly: true });
  if (result.success) return { value: result.output as Output<K> };
  return { errors: result.issues.flatMap((issue) => explain(issue, { label: itemLabel(item), kind, path: [] })) };
}

/** The error of an item whose kind does not exist; none when it does. */
export function unknownKindErrors(item: RawItem): string[] {
  const kinds = Object.keys(itemSchemas);
  if (kinds.includes(item.kind)) return [];
  return [`${itemLabel(item)}: there is no kind "${item.kind}"${suggestion(item.kind, kinds)}; it is not used`];
}

/**
 * How messages name an item: `model/gpt-4o`. Of a key only the beginning of its hash, and nothing of a name that is no
 * hash, for that may be the key itself.
 */
export function itemLabel(item: { kind: string; name: string }): string {
  if (item.kind !== 'key') return `${item.kind}/${item.name}`;
  return /^[0-9a-f]{64}$/.test(item.name) ? `key/${item.name.slice(0, 8)}…` : 'key/(not a SHA-256)';
}

/** DynamoDB's string and number sets arrive as `Set`; wherever one stands, a list is meant. */
function withArrays(value: unknown): unknown {
  if (value instanceof Set) return [...value].sort();
  if (Array.isArray(value)) return value.map(withArrays);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, withArrays(field)]));
}

type Place = { label: string; kind: ItemKind; path: (string | number)[] };

/** The library's own messages quote the input, which may be a key in the wrong field; these never do. */
function explain(issue: v.BaseIssue<unknown>, place: Place): string[] {
  const path = [...place.path, ...(issue.path ?? []).map(({ key }) => key as string | number)];
  const alternatives = issue.type === 'union' ? issue.issues?.filter((inner) => inner.path !== undefined) : undefined;
  if (alternatives?.length) return alternatives.flatMap((inner) => explain(inner, { ...place, path }));
  return [`${place.label} ${pathText(path)}: ${reason(issue, place.kind, path)}`];
}

function reason(issue: v.BaseIssue<unknown>, kind: ItemKind, path: (string | number)[]): string {
  if (issue.kind === 'validation') return issue.message;
  if (issue.expected === 'never') return `unknown field${suggestion(String(path.at(-1)), knownFields(kind, path))}`;
  if (issue.received === 'undefined') return 'is missing';
  const literals = issue.expected?.replaceAll(/[()]/g, '').replaceAll(' | ', ' or ');
  return `must be ${typeNames[issue.expected ?? ''] ?? literals}`;
}

const typeNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  Array: 'a list',
  Object: 'a map',
  '(string | Object)': 'a string of the form provider/model, or a map with the field target',
};

function knownFields(kind: ItemKind, path: (string | number)[]): string[] {
  if (path.length === 1) return Object.keys(itemSchemas[kind].entries);
  const nested = { targets: targetSchema, cloudflareGateway: cloudflareGatewaySchema, probes: probesSchema }[
    String(path[0])
  ];
  return Object.keys((nested ?? timeoutsSchema).entries);
}

/** `targets[0].weight`, as people write paths. */
function pathText(path: (string | number)[]): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`)).join('');
}
