import { hash } from 'node:crypto';
import type { GatewayRequest } from '../exchange.ts';
import type { Caller, GatewayDeps } from '../gateway-deps.ts';
import { GatewayError } from '../gateway-error.ts';

/**
 * Finds who is calling, by the SHA-256 of the key in `Authorization: Bearer`, `x-api-key`, `x-goog-api-key` or `?key=`. Looking up a digest leaks
 * nothing by its timing: the digest of a guess cannot be steered towards a stored one. Throws `invalid_api_key`.
 */
export async function authenticate(
  request: Pick<GatewayRequest, 'headers' | 'query'>,
  deps: GatewayDeps,
): Promise<Caller> {
  const key = sentKey(request);
  if (key === undefined) {
    throw new GatewayError(
      'invalid_api_key',
      'No API key was sent. Send one as `Authorization: Bearer <key>` or `x-api-key: <key>`.',
    );
  }
  const caller = await deps.findCaller(hash('sha256', key));
  if (!caller)
    throw new GatewayError(
      'invalid_api_key',
      'The API key is not valid here. Ask the operator of this gateway for one.',
    );
  return caller;
}

/** The SHA-256 of the key that was sent, whether it lets anybody in or not. */
export function callerKeyDigest(request: Pick<GatewayRequest, 'headers' | 'query'>): string {
  return hash('sha256', sentKey(request) ?? '');
}

/** Where the SDKs of OpenAI, Anthropic and Google put it; Google's also takes `?key=`. */
function sentKey({ headers, query }: Pick<GatewayRequest, 'headers' | 'query'>): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers['authorization'] ?? '')?.[1];
  const inQuery = () => (query === '' ? undefined : new URLSearchParams(query).get('key'));
  return bearer ?? (headers['x-api-key']?.trim() || headers['x-goog-api-key']?.trim() || inQuery() || undefined);
}

/** Whether a caller may use a model of that name; `*` in a pattern stands for any characters. */
export function mayUse(caller: Caller, model: string): boolean {
  return caller.models === undefined || caller.models.some((pattern) => matches(pattern, model));
}

/** Linear in the name for every star, unlike a regular expression made from somebody's pattern. */
function matches(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
