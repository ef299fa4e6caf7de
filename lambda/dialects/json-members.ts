/** Where one member of a JSON object stands in its text: `text.slice(start, end)` is the whole `"key": value`. */
export type JsonMember = { key: string; start: number; valueStart: number; end: number };

/**
 * Finds the members of the outermost object of a JSON text, so that single values can be replaced and every other byte
 * stays what the caller wrote: number formats, unknown fields, spacing. The text must be an object that `JSON.parse`
 * accepts. A key that occurs twice is listed twice.
 */
export function jsonMembers(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const start = at;
    const keyEnd = endOfString(text, at);
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = endOfValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(start, keyEnd)) as string, start, valueStart, end });
    at = skipSpace(text, end);
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return members;
}

/**
 * Sets members of the outermost object to new JSON values; `undefined` removes the member. All occurrences of a key are
 * treated alike, since parsers differ in which one they believe. Members that are absent are added at the front.
 */
export function replaceMembers(text: string, changes: Readonly<Record<string, string | undefined>>): string {
  const members = jsonMembers(text);
  const missing = new Set(Object.keys(changes).filter((key) => changes[key] !== undefined));
  const open = text.indexOf('{') + 1;
  let written = '';
  let at = open;
  let kept = 0;
  members.forEach(({ key, start, valueStart, end }, index) => {
    missing.delete(key);
    const value = changes[key];
    if (!Object.hasOwn(changes, key)) kept++;
    else if (value !== undefined) {
      written += text.slice(at, valueStart) + value;
      at = end;
      kept++;
    } else {
      const next = members[index + 1];
      written += text.slice(at, start);
      at = next?.start ?? end;
      if (!next) written = withoutLastComma(written);
    }
  });
  const added = [...missing].map((key) => `${JSON.stringify(key)}:${changes[key]}`).join(',');
  return text.slice(0, open) + added + (added !== '' && kept > 0 ? ',' : '') + written + text.slice(at);
}

/** What stands before a last member that is removed. */
function withoutLastComma(written: string): string {
  let end = written.length;
  while (end > 0 && isSpace(written.charCodeAt(end - 1))) end--;
  return written[end - 1] === ',' ? written.slice(0, end - 1) : written;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 32 || code === 10 || code === 13 || code === 9;
}

/** The index behind the closing quote of the string that opens at `open`. */
function endOfString(text: string, open: number): number {
  let quote = text.indexOf('"', open + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === 92) backslashes++;
  return backslashes % 2 === 1;
}

function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  if (first === '{' || first === '[') return endOfNested(text, from);
  let at = from;
  while (at < text.length && !isScalarEnd(text.charCodeAt(at))) at++;
  return at;
}

function isScalarEnd(code: number): boolean {
  return code === 44 || code === 125 || code === 93 || isSpace(code);
}

/** Skips strings by searching, so the cost of a long message is that of `indexOf`. */
function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 34) {
      at = endOfString(text, at);
      continue;
    }
    if (code === 123 || code === 91) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return at + 1;
    at++;
  }
  return at;
}
