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
