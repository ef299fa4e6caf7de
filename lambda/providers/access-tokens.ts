import { isObject, parseJson, stringOrUndefined } from '../dialects/json-value.ts';
import { originOf } from './provider.ts';
import { readBody } from './read-body.ts';
import { type ServiceAccount, tokenRequestForm } from './service-account.ts';
import { type Upstream, UpstreamError } from './upstream.ts';

/** The vendor of tokens refused to give one, with this status and its own code (`invalid_grant`). */
export class TokenRefusedError extends Error {
  readonly status: number;

  constructor(status: number, code: string | undefined) {
    super(`The token endpoint refused the service account${code ? `: ${code}` : ''}`);
    this.status = status;
  }
}

export type AccessToken = { token: string; issuedAtMs: number; expiresAtMs: number };

/** Access tokens of service accounts, each asked for once and used until shortly before it ends. */
export type AccessTokens = {
  get(account: ServiceAccount): Promise<AccessToken>;
  /** Forgets a token that was refused, so that the next `get` asks for another. */
  forget(account: ServiceAccount, token: AccessToken): void;
};

const earlyMs = 60_000;
const longestWaitMs = 10_000;
const connectMs = 5_000;
const largestAnswerBytes = 64 * 1024;

type Options = { upstream: Pick<Upstream, 'post'>; now(): number };

export function createAccessTokens({ upstream, now }: Options): AccessTokens {
  const known = new Map<string, Promise<AccessToken>>();
  const settled = new Map<string, AccessToken>();

  async function ask(account: ServiceAccount): Promise<AccessToken> {
    const issuedAtMs = now();
    const { token, lifetimeMs } = await requestToken(account, upstream, issuedAtMs);
    return { token, issuedAtMs, expiresAtMs: issuedAtMs + lifetimeMs };
  }

  function renew(name: string, account: ServiceAccount): Promise<AccessToken> {
    settled.delete(name);
    const asked = ask(account);
    known.set(name, asked);
    asked.then(
      (token) => {
        if (known.get(name) === asked) settled.set(name, token);
      },
      () => {
        if (known.get(name) === asked) known.delete(name);
      },
    );
    return asked;
  }

  return {
    get(account) {
      const name = nameOf(account);
      const token = settled.get(name);
      if (token && token.expiresAtMs - earlyMs <= now()) return renew(name, account);
      return known.get(name) ?? renew(name, account);
    },
    forget(account, token) {
      const name = nameOf(account);
      if (settled.get(name) !== token) return;
      settled.delete(name);
      known.delete(name);
    },
  };
}

/** Two keys of one account have tokens of their own, since one of the keys may be withdrawn. */
function nameOf({ email, keyId, tokenUrl }: ServiceAccount): string {
  return `${email} ${keyId ?? ''} ${tokenUrl.href}`;
}

async function requestToken(
  account: ServiceAccount,
  upstream: Pick<Upstream, 'post'>,
  nowMs: number,
): Promise<{ token: string; lifetimeMs: number }> {
  const form = tokenRequestForm(account, nowMs);
  const { tokenUrl } = account;
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(Buffer.byteLength(form)),
    'accept-encoding': 'identity',
    'user-agent': 'sluice',
  };
  const path = tokenUrl.pathname + tokenUrl.search;
  const exchange = upstream.post({ origin: originOf(tokenUrl), path, headers, body: form, connectMs });
  const late = new UpstreamError('timeout', `The token endpoint did not answer within ${longestWaitMs} ms`);
  const timer = setTimeout(() => exchange.abort(late), longestWaitMs);
  try {
    const response = await exchange.response;
    const { body } = await readBody(response, largestAnswerBytes);
    return readToken(response.statusCode ?? 0, body.toString('utf8'));
  } finally {
    clearTimeout(timer);
  }
}

function readToken(status: number, text: string): { token: string; lifetimeMs: number } {
  const parsed = parseJson(text);
  const answer = isObject(parsed) ? parsed : {};
  const token = stringOrUndefined(answer['access_token']);
  const { expires_in: seconds } = answer;
  if (status !== 200 || !token) throw new TokenRefusedError(status, stringOrUndefined(answer['error'])?.slice(0, 100));
  // Without a lifetime it is used once: it has ended as soon as it is there.
  return { token, lifetimeMs: typeof seconds === 'number' ? seconds * 1000 : 0 };
}
