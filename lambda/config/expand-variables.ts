/** What `process.env` looks like. */
export type Environment = Readonly<Record<string, string | undefined>>;

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Replaces `${VARIABLE}` and `${VARIABLE:-default}` in every string of a value. As in a shell, the default also stands
 * in for an empty variable. `missing` hears of every variable that is not set and has no default.
 */
export function expandVariables(value: unknown, environment: Environment, missing: (name: string) => void): unknown {
  const expand = (inner: unknown) => expandVariables(inner, environment, missing);
  if (typeof value === 'string')
    return value.replaceAll(reference, (_, name: string, fallback?: string) => {
      const replacement = environment[name] || (fallback ?? environment[name]);
      if (replacement === undefined) missing(name);
      return replacement ?? '';
    });
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, expand(field)]));
}
