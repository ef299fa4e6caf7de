/** Vendors or what stands before them may decode a path more than once; nobody writes one that needs more than this. */
const mostDecodings = 4;

/**
 * The path of a vendor's own API behind its base URL, with every byte as the caller wrote it; undefined when somebody on the
 * way might read it as one that leads elsewhere. Callers whose SDK adds the API's version, which the base URL has already,
 * are understood too, and so are versions that the one of the base URL contains.
 */
export function passThroughPath(basePath: string, rest: string, contained: readonly string[] = []): string | undefined {
  const path = rest === '' ? '/' : rest;
  if (!/^\/[!-~]*$/.test(path) || /[\\?#]/.test(path) || !staysInside(path)) return undefined;
  const [, version = ''] = path.split('/', 2);
  return (
    basePath + (contained.includes(version) ? path.slice(1 + version.length) : withoutRepeatedBase(basePath, path))
  );
}

function staysInside(path: string): boolean {
  let text = path;
  for (let decodings = 0; decodings <= mostDecodings; decodings++) {
    if (!hasPlainSegments(text)) return false;
    const decoded = decode(text);
    if (decoded === undefined) return false;
    if (decoded === text) return true;
    text = decoded;
  }
  return false;
}

/** Whether no segment is empty, is dots, or would be without its parameters; only the last may be empty, behind a slash. */
function hasPlainSegments(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\\\u0000-\u001f\u007f]/.test(text)) return false;
  const [, ...segments] = text.split('/');
  return segments.every(
    (segment, index) => !/^\.{1,2}(;|$)/.test(segment) && (segment !== '' || index === segments.length - 1),
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function withoutRepeatedBase(basePath: string, path: string): string {
  const base = basePath.split('/').filter((segment) => segment !== '');
  for (let count = base.length; count > 0; count--) {
    const repeated = `/${base.slice(-count).join('/')}`;
    if (path === repeated || path.startsWith(`${repeated}/`)) return path.slice(repeated.length);
  }
  return path;
}

/** Where keys are written, here or at vendors. */
const credentialNames = new Set(['key', 'api_key', 'api-key', 'apikey', 'access_token']);

/** The query without credentials, and otherwise as it was written; undefined when it cannot be sent. */
export function passThroughQuery(query: string): string | undefined {
  if (!/^[!-~]*$/.test(query) || query.includes('#')) return undefined;
  return query
    .split('&')
    .filter((pair) => !isCredential(pair))
    .join('&');
}

function isCredential(pair: string): boolean {
  const [name] = [...new URLSearchParams(pair).keys()];
  return name !== undefined && credentialNames.has(name.toLowerCase());
}
