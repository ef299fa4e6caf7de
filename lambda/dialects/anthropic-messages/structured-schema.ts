import { isObject, type JsonObject } from '../json-value.ts';

/** Constraints that structured outputs refuse; Anthropic's own SDKs move them into the description, as is done here. */
const refused = new Set([
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength'],
  ...['maxItems', 'uniqueItems', 'minProperties', 'maxProperties'],
]);

/**
 * A schema as structured outputs take it: objects closed, constraints that they cannot enforce told in words. A schema
 * that is valid there already stays as it is
 * (https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations).
 */
export function structuredSchema(schema: JsonObject): JsonObject {
  const told: string[] = [];
  const entries = Object.entries(schema).flatMap(([name, value]): [string, unknown][] => {
    if (refused.has(name) || (name === 'minItems' && Number(value) > 1)) {
      told.push(`${name}: ${JSON.stringify(value)}`);
      return [];
    }
    return [[name === 'oneOf' ? 'anyOf' : name, convert(name, value)]];
  });
  const converted: JsonObject = Object.fromEntries(entries);
  if (isObjectSchema(schema) && schema['additionalProperties'] === undefined) converted['additionalProperties'] = false;
  if (told.length === 0) return converted;
  const description = typeof schema['description'] === 'string' ? `${schema['description']}\n\n` : '';
  return { ...converted, description: `${description}{${told.join(', ')}}` };
}

/** True where an object may have fields that the schema does not name: structured outputs cannot leave them open. */
export function hasOpenObjects(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasOpenObjects);
  if (!isObject(schema)) return false;
  const open = schema['additionalProperties'];
  if (open === true || isObject(open)) return true;
  return Object.values(schema).some(hasOpenObjects);
}

/** Values under these are schemas by name, lists of schemas, or one schema; all else is data. */
function convert(name: string, value: unknown): unknown {
  if (['properties', '$defs', 'definitions'].includes(name) && isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, convertOne(one)]));
  }
  if (['anyOf', 'oneOf', 'allOf', 'prefixItems'].includes(name) && Array.isArray(value)) return value.map(convertOne);
  return name === 'items' ? convertOne(value) : value;
}

function convertOne(schema: unknown): unknown {
  return isObject(schema) ? structuredSchema(schema) : schema;
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || isObject(properties);
}
