/** What intrinsic functions need to know about the stack. */
export type IntrinsicScope = {
  /** Value of `Ref`: of a pseudo parameter, a parameter or a resource. */
  ref(name: string): unknown;
  getAtt(logicalId: string, attribute: string): unknown;
  conditions: Record<string, unknown>;
  mappings: Record<string, Record<string, Record<string, unknown>>>;
};

/** Marks a property that `AWS::NoValue` removes. */
export const noValue = Symbol('AWS::NoValue');

type Evaluate = (argument: unknown, resolve: (value: unknown) => unknown, scope: IntrinsicScope) => unknown;

const functions: Record<string, Evaluate> = {
  Ref: (name, _resolve, scope) => scope.ref(String(name)),
  'Fn::GetAtt': (path, _resolve, scope) => {
    const [logicalId = '', ...attribute] = Array.isArray(path) ? path.map(String) : String(path).split('.');
    return scope.getAtt(logicalId, attribute.join('.'));
  },
  'Fn::Join': (argument, resolve) => {
    const [separator, parts] = argument as [string, unknown];
    return (resolve(parts) as unknown[]).map(String).join(separator);
  },
  'Fn::Sub': (argument, resolve, scope) => substitute(argument, resolve, scope),
  'Fn::Select': (argument, resolve) => {
    const [index, list] = argument as [unknown, unknown];
    return (resolve(list) as unknown[])[Number(resolve(index))];
  },
  'Fn::Split': (argument, resolve) => {
    const [separator, text] = argument as [string, unknown];
    return String(resolve(text)).split(separator);
  },
  'Fn::If': (argument, resolve, scope) => {
    const [condition, whenTrue, whenFalse] = argument as [string, unknown, unknown];
    return resolve(resolve(scope.conditions[condition]) === true ? whenTrue : whenFalse);
  },
  'Fn::Equals': (argument, resolve) => {
    const [left, right] = argument as [unknown, unknown];
    return String(resolve(left)) === String(resolve(right));
  },
  'Fn::Not': (argument, resolve) => resolve((argument as unknown[])[0]) !== true,
  'Fn::And': (argument, resolve) => (argument as unknown[]).every((condition) => resolve(condition) === true),
  'Fn::Or': (argument, resolve) => (argument as unknown[]).some((condition) => resolve(condition) === true),
  Condition: (name, resolve, scope) => resolve(scope.conditions[String(name)]),
  'Fn::FindInMap': (argument, resolve, scope) => {
    const [map, first, second] = (argument as unknown[]).map((part) => String(resolve(part)));
    return scope.mappings[map ?? '']?.[first ?? '']?.[second ?? ''];
  },
  'Fn::Base64': (argument, resolve) => Buffer.from(String(resolve(argument))).toString('base64'),
};

/** Resolves every intrinsic function in a value of a CloudFormation template; other values come back as they are. */
export function resolveIntrinsics(value: unknown, scope: IntrinsicScope): unknown {
  const resolve = (inner: unknown): unknown => resolveIntrinsics(inner, scope);
  if (Array.isArray(value)) return value.map(resolve).filter((item) => item !== noValue);
  if (typeof value !== 'object' || value === null) return value;

  const entries = Object.entries(value);
  const [name, argument] = entries[0] ?? [];
  const evaluate = entries.length === 1 && name !== undefined ? functions[name] : undefined;
  // `Condition` is also an ordinary property, of policy statements; only its string form is the function.
  if (evaluate && (name !== 'Condition' || typeof argument === 'string')) return evaluate(argument, resolve, scope);
  return Object.fromEntries(
    entries.map(([key, inner]) => [key, resolve(inner)] as const).filter(([, inner]) => inner !== noValue),
  );
}

function substitute(argument: unknown, resolve: (value: unknown) => unknown, scope: IntrinsicScope): string {
  const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
  return text.replaceAll(/\$\{([^}]+)\}/g, (whole, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (Object.hasOwn(variables, name)) return String(resolve(variables[name]));
    const [logicalId = '', ...attribute] = name.split('.');
    const value = attribute.length > 0 ? scope.getAtt(logicalId, attribute.join('.')) : scope.ref(name);
    return value === undefined ? whole : String(value);
  });
}
