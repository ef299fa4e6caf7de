type Rule = Record<string, unknown>;

/**
 * Whether a record matches a filter pattern of an event source mapping. Known rules: exact values, `prefix`, `suffix`,
 * `exists`, `anything-but`, `equals-ignore-case`, `numeric` and `$or`; any other rule is an error, never a silent miss.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */
export function matchesPattern(pattern: unknown, value: unknown): boolean {
  return Object.entries(pattern as Record<string, unknown>).every(([field, expected]) => {
    if (field === '$or') return (expected as unknown[]).some((alternative) => matchesPattern(alternative, value));
    const actual = isRecord(value) ? value[field] : undefined;
    if (Array.isArray(expected)) return expected.some((rule) => matchesRule(rule, actual));
    return matchesPattern(expected, actual);
  });
}

function matchesRule(rule: unknown, actual: unknown): boolean {
  if (isRecord(rule)) return matchesOperator(rule, actual);
  return Array.isArray(actual) ? actual.includes(rule) : actual === rule;
}

function matchesOperator(rule: Rule, actual: unknown): boolean {
  const [[operator, argument] = []] = Object.entries(rule);
  switch (operator) {
    case 'exists':
      // Only leaves exist: a pattern never asks for an object or for a missing branch.
      return (actual !== undefined && !isRecord(actual)) === argument;
    case 'prefix':
      return typeof actual === 'string' && actual.startsWith(String(argument));
    case 'suffix':
      return typeof actual === 'string' && actual.endsWith(String(argument));
    case 'equals-ignore-case':
      return typeof actual === 'string' && actual.toLowerCase() === String(argument).toLowerCase();
    case 'anything-but':
      return actual !== undefined && ![argument].flat().some((excluded) => matchesRule(excluded, actual));
    case 'numeric':
      return typeof actual === 'number' && matchesNumbers(argument as (string | number)[], actual);
    default:
      throw new Error(`The local stack does not know the filter rule ${JSON.stringify(rule)}`);
  }
}

const comparisons: Record<string, (left: number, right: number) => boolean> = {
  '=': (left, right) => left === right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** `[">", 0, "<=", 5]`: every pair must hold. */
function matchesNumbers(pairs: (string | number)[], actual: number): boolean {
  for (let index = 0; index < pairs.length; index += 2) {
    if (!comparisons[String(pairs[index])]?.(actual, Number(pairs[index + 1]))) return false;
  }
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
