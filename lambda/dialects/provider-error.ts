import { isObject, type JsonObject, parseJson, stringOrUndefined } from './json-value.ts';

/** What a provider said about a failure, as far as it could be read. */
export type ProviderError = {
  message: string | undefined;
  type: string | undefined;
  param: string | undefined;
  code: string | undefined;
  /** How long the provider asks to wait, where its body says so rather than a header. */
  retryAfterMs?: number;
};

const longestMessage = 2000;
const longestWord = 200;

/**
 * Reads an error body in any of the shapes that vendors send: OpenAI's `{error: {…}}`, the same inside a list (Gemini),
 * `{error: "text", code}` (xAI), `{message, type}`, `{detail}` (FastAPI), or plain text that is called so (Hugging
 * Face). HTML and other text give no message.
 */
export function readErrorBody(text: string, contentType?: string): ProviderError {
  const parsed = parseJson(text);
  const body = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!isObject(body)) {
    const message = contentType?.startsWith('text/plain') ? stringOrUndefined(text.trim()) : undefined;
    return { message, type: undefined, param: undefined, code: undefined };
  }
  const error = isObject(body['error']) ? body['error'] : body;
  return {
    message: messageOf(error, body),
    type: stringOrUndefined(error['type']),
    param: stringOrUndefined(error['param']),
    code: codeOf(error),
  };
}

/** What of it the caller may be told: never the key that was sent, which some vendors quote, and not without end. */
export function tellableError(error: ProviderError, secret: string | undefined): ProviderError {
  const told = (text: string | undefined, longest: number) =>
    (secret ? text?.replaceAll(secret, '***') : text)?.slice(0, longest);
  return {
    message: told(error.message, longestMessage),
    type: told(error.type, longestWord),
    param: told(error.param, longestWord),
    code: told(error.code, longestWord),
  };
}

function messageOf(error: JsonObject, body: JsonObject): string | undefined {
  const candidates = [error['message'], body['error'], body['message'], body['detail'], error['error']];
  for (const candidate of candidates) {
    if (stringOrUndefined(candidate)) return candidate as string;
    if (isObject(candidate) && stringOrUndefined(candidate['message'])) return candidate['message'] as string;
  }
  return Array.isArray(body['detail']) ? messageOfDetails(body['detail']) : undefined;
}

/** FastAPI's list of what is wrong with which field. */
function messageOfDetails(details: unknown[]): string | undefined {
  const sentences = details
    .filter(isObject)
    .map(({ loc, msg }) => `${pathOf(loc)}: ${stringOrUndefined(msg) ?? 'is wrong'}`);
  return sentences.length > 0 ? sentences.join('; ') : undefined;
}

/** Only what can be a step: joining lists within lists would run out of stack. */
function pathOf(loc: unknown): string {
  const steps = Array.isArray(loc) ? loc.filter((step) => typeof step === 'string' || typeof step === 'number') : [];
  return steps.join('.') || 'request';
}

function codeOf(error: JsonObject): string | undefined {
  const code = error['code'] ?? error['status'];
  return typeof code === 'number' ? String(code) : stringOrUndefined(code);
}
