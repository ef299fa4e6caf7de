import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { isObject, parseJson, stringOrUndefined } from '../dialects/json-value.ts';

/** What of a service account's key file is needed to ask for tokens. */
export type ServiceAccount = {
  email: string;
  privateKey: KeyObject;
  keyId: string | undefined;
  project: string | undefined;
  tokenUrl: URL;
};

/** How a key of Google's is used: it is exchanged for a token, is one, or is an API key of express mode. */
export type GoogleKey =
  | { kind: 'service-account'; account: ServiceAccount }
  | { kind: 'access-token'; token: string }
  | { kind: 'api-key'; key: string };

/** A key that cannot be used as it stands; the message holds nothing of it. */
export class UnusableKeyError extends Error {}

const defaultTokenUrl = 'https://oauth2.googleapis.com/token';
const scope = 'https://www.googleapis.com/auth/cloud-platform';
const lifetimeSeconds = 3600;

/** Reads a key: the JSON of a service account, an OAuth access token (`ya29.…`), or else an API key. */
export function readGoogleKey(secret: string): GoogleKey {
  if (secret.startsWith('ya29.')) return { kind: 'access-token', token: secret };
  if (!secret.trimStart().startsWith('{')) return { kind: 'api-key', key: secret };
  const fields = parseJson(secret);
  if (!isObject(fields)) throw new UnusableKeyError('The key begins like the JSON of a service account but is none');
  const email = stringOrUndefined(fields['client_email']);
  const pem = stringOrUndefined(fields['private_key']);
  if (!email || !pem) throw new UnusableKeyError('The service account has no client_email or no private_key');
  return {
    kind: 'service-account',
    account: {
      email,
      privateKey: readPrivateKey(pem),
      keyId: stringOrUndefined(fields['private_key_id']),
      project: stringOrUndefined(fields['project_id']),
      tokenUrl: readTokenUrl(stringOrUndefined(fields['token_uri']) ?? defaultTokenUrl),
    },
  };
}

function readPrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new UnusableKeyError('The private_key of the service account is no PEM key');
  }
}

/** The signed request goes nowhere but to Google, or to this machine, whatever the key file says. */
function readTokenUrl(text: string): URL {
  const url = URL.parse(text);
  const isGoogle = url?.origin === 'https://oauth2.googleapis.com';
  const isLoopback = url?.protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  if (url && (isGoogle || isLoopback)) return url;
  throw new UnusableKeyError('The token_uri of the service account is not https://oauth2.googleapis.com/token');
}

/**
 * The form that asks for an access token with a signed JWT.
 * https://developers.google.com/identity/protocols/oauth2/service-account#httprest
 */
export function tokenRequestForm({ email, privateKey, keyId, tokenUrl }: ServiceAccount, nowMs: number): string {
  const issuedAt = Math.floor(nowMs / 1000);
  const header = { alg: 'RS256', typ: 'JWT', ...(keyId ? { kid: keyId } : {}) };
  const claims = { iss: email, scope, aud: tokenUrl.href, iat: issuedAt, exp: issuedAt + lifetimeSeconds };
  const signed = `${base64Url(header)}.${base64Url(claims)}`;
  const signature = sign('RSA-SHA256', Buffer.from(signed), privateKey).toString('base64url');
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  return new URLSearchParams({ grant_type: grant, assertion: `${signed}.${signature}` }).toString();
}

function base64Url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
