import { isObject, type JsonObject } from '../json-value.ts';
import { camelCase } from './camel-fields.ts';

/** Deeper schemas are left as they are; recursive ones would never end. */
const deepest = 40;

/** How requests with `enum-encoding=int` name types. */
const typesByNumber = ['type_unspecified', 'string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];

/** Google's form of OpenAPI's schema (`type: 'STRING'`, `nullable`, counts as text) as JSON Schema. */
export function fromOpenApiSchema(schema: unknown, depth = 0): JsonObject {
  if (!isObject(schema) || depth > deepest) return {};
  const json: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (value === null) continue;
    const name = camelCase(key);
    if (name === 'type') json['type'] = typeof value === 'number' ? typesByNumber[value] : String(value).toLowerCase();
    else if (name === 'items') json['items'] = fromOpenApiSchema(value, depth + 1);
    else if (name === 'anyOf' && Array.isArray(value))
      json['anyOf'] = value.map((one) => fromOpenApiSchema(one, depth + 1));
    else if (name === 'properties' && isObject(value))
      json['properties'] = mapValues(value, (one) => fromOpenApiSchema(one, depth + 1));
    else if (/^(min|max)(Items|Length|Properties)$/.test(name)) json[name] = Number(value);
    else if (name !== 'nullable' && name !== 'propertyOrdering') json[name] = value;
  }
  if (json['type'] === 'type_unspecified') delete json['type'];
  if (schema['nullable'] === true && typeof json['type'] === 'string') json['type'] = [json['type'], 'null'];
  return json;
}

function mapValues(object: JsonObject, map: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]));
}

/** What older models take as it is; the API refuses every other keyword with "Unknown name". */
const plainKeywords = [
  ...['title', 'description', 'required', 'default', 'minimum', 'maximum', 'pattern', 'nullable'],
  ...['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'],
];

/** Refused for strings are all others: "only 'enum' and 'date-time' are supported for STRING type". */
const formats = new Set(['enum', 'date-time', 'float', 'double', 'int32', 'int64']);

/** Where references lead, those that are being followed, and how much may still be written. */
type Scope = { root: unknown; followed: readonly string[]; budget: { left: number } };

/** References in place multiply what is written; more than this no model reads. */
const mostSchemas = 5000;

/**
 * JSON Schema as the part of OpenAPI's that older models know (https://ai.google.dev/api/caching#Schema): references are
 * put in place, lists of types become `nullable` or `anyOf`, other keywords are left out.
 */
export function toOpenApiSchema(schema: unknown): JsonObject {
  return convert(schema, { root: schema, followed: [], budget: { left: mostSchemas } }, 0);
}

function convert(schema: unknown, scope: Scope, depth: number): JsonObject {
  if (!isObject(schema) || depth > deepest || scope.budget.left-- <= 0) return { type: 'object' };
  const { $ref: reference, type, properties, items, allOf } = schema;
  if (typeof reference === 'string') {
    // Recursion has no place there.
    if (scope.followed.includes(reference)) return { type: 'object' };
    const inside = { ...scope, followed: [...scope.followed, reference] };
    return convert(resolve(reference, scope.root), inside, depth + 1);
  }
  const inner = (one: unknown) => convert(one, scope, depth + 1);
  const options = schema['anyOf'] ?? schema['oneOf'];
  const result: JsonObject = Array.isArray(allOf) ? Object.assign({}, ...allOf.map(inner)) : {};
  for (const keyword of plainKeywords) if (schema[keyword] !== undefined) result[keyword] = schema[keyword];
  if (isObject(properties) && Object.keys(properties).length > 0) result['properties'] = mapValues(properties, inner);
  if (items !== undefined) result['items'] = inner(Array.isArray(items) ? items[0] : items);
  if (Array.isArray(options)) Object.assign(result, alternatives(options, inner));
  return { ...result, ...valuesOf(schema), ...typeOf(type) };
}

/** Formats and lists of values; the latter only of strings. */
function valuesOf({ format, enum: values, const: value }: JsonObject): JsonObject {
  const choices = Array.isArray(values) ? values : value === undefined ? undefined : [value];
  return {
    ...(typeof format === 'string' && formats.has(format) ? { format } : {}),
    ...(choices?.every((choice) => typeof choice === 'string') ? { type: 'string', enum: choices } : {}),
  };
}

/** One of several schemas; `null` among them means `nullable`. */
function alternatives(options: unknown[], inner: (one: unknown) => JsonObject): JsonObject {
  const others = options.filter((option) => !isObject(option) || option['type'] !== 'null').map(inner);
  const nullable = others.length < options.length ? { nullable: true } : {};
  return others.length === 1 ? { ...others[0], ...nullable } : { anyOf: others, ...nullable };
}

function typeOf(type: unknown): JsonObject {
  if (typeof type === 'string') return { type };
  if (!Array.isArray(type)) return {};
  const types = type.filter((one) => one !== 'null');
  const nullable = types.length < type.length ? { nullable: true } : {};
  return types.length === 1
    ? { type: types[0], ...nullable }
    : { anyOf: types.map((one) => ({ type: one })), ...nullable };
}

/** What `#/$defs/Name` points to. */
function resolve(reference: string, root: unknown): unknown {
  let found = root;
  for (const step of reference.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}
