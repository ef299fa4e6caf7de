import { object, objects, parsed, text } from './json.ts';

/** What a vendor says went wrong, in the shapes that vendors use; the text itself where it is no JSON. */
export function errorMessage(body: string): string {
  const value = parsed(body);
  const top = object(Array.isArray(value) ? value[0] : value);
  const error = object(top['error']);
  const candidates = [error['message'], top['error'], top['message'], top['detail'], object(top['message'])['message']];
  const found = candidates.find((candidate) => text(candidate) !== '');
  if (found !== undefined) return text(found);
  const [detail] = objects(top['detail'] ?? object(top['message'])['detail']);
  return text(detail?.['msg']) || (value === undefined && !body.startsWith('<') ? body.trim() : '');
}

/** What a caller is told instead of a status that concerns the account of the gateway's operator, or a moment. */
export function toldStatus(status: number, body: string): number {
  if (status === 503 || status === 529) return 503;
  // OpenRouter tells of refused prompts like this, of refused keys without `metadata`.
  if (status === 403 && body.includes('"metadata": {"provider_name"')) return 403;
  const isKeyRefused = body.includes('API_KEY_INVALID') || body.includes('Incorrect API key provided');
  if (status === 401 || status === 403 || status === 424 || status >= 500 || isKeyRefused) return 502;
  return { 402: 429, 408: 504 }[status] ?? status;
}
