/** The `Cors` block of a function URL, as templates write it. */
export type FunctionUrlCors = {
  AllowCredentials?: boolean;
  AllowHeaders?: string[];
  AllowMethods?: string[];
  AllowOrigins?: string[];
  ExposeHeaders?: string[];
  MaxAge?: number;
};

/** The headers of the answer to a preflight request; the function never sees one. */
export function preflightHeaders(cors: FunctionUrlCors, origin: string | undefined): Record<string, string> {
  const allowed = originHeaders(cors, origin);
  if (Object.keys(allowed).length === 0) return {};
  return {
    ...allowed,
    ...(cors.AllowMethods?.length ? { 'access-control-allow-methods': cors.AllowMethods.join(',') } : {}),
    ...(cors.AllowHeaders?.length ? { 'access-control-allow-headers': cors.AllowHeaders.join(',') } : {}),
    ...(cors.MaxAge === undefined ? {} : { 'access-control-max-age': String(cors.MaxAge) }),
  };
}

/** The headers that the URL puts on an answer, over whatever the function says about origins itself. */
export function answerCorsHeaders(cors: FunctionUrlCors, origin: string | undefined): Record<string, string> {
  const allowed = originHeaders(cors, origin);
  if (Object.keys(allowed).length === 0 || !cors.ExposeHeaders?.length) return allowed;
  return { ...allowed, 'access-control-expose-headers': cors.ExposeHeaders.join(',') };
}

function originHeaders(cors: FunctionUrlCors, origin: string | undefined): Record<string, string> {
  if (origin === undefined) return {};
  const credentials: Record<string, string> = cors.AllowCredentials
    ? { 'access-control-allow-credentials': 'true' }
    : {};
  // Browsers refuse a wildcard together with credentials, so then the origin itself is named.
  if (cors.AllowOrigins?.includes('*') && !cors.AllowCredentials) return { 'access-control-allow-origin': '*' };
  const isAllowed = cors.AllowOrigins?.some((pattern) => pattern === '*' || matchesOrigin(pattern, origin));
  return isAllowed ? { 'access-control-allow-origin': origin, vary: 'Origin', ...credentials } : {};
}

function matchesOrigin(pattern: string, origin: string): boolean {
  const [before, after] = pattern.split('*');
  if (after === undefined) return pattern.toLowerCase() === origin.toLowerCase();
  return origin.startsWith(before ?? '') && origin.endsWith(after);
}
