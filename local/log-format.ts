type Fields = Record<string, unknown>;

// What every line has and nobody reads while trying things out.
const hiddenFields = new Set(['timestamp', 'at', 'time', 'requestId', 'level', 'event', 'message']);

/** One readable line out of one log line: JSON becomes `12:00:01 gateway INFO RequestCompleted status=200 …`. */
export function formatLogLine(source: string, line: string, now: Date): string {
  const head = `${now.toTimeString().slice(0, 8)} ${source}`;
  const fields = parseObject(line);
  if (!fields) return `${head} ${escapeControl(line)}`;
  const { level, message, event } = fields;
  // The runtime wraps what `console.log` got; an object in there is the function's own line.
  const inner = parseObject(message);
  const words = inner ? [inner['event'], ...pairs(inner)] : [event, message, ...pairs(fields)];
  return [head, level, ...words].filter(isShown).map(toText).join(' ');
}

function pairs(fields: Fields): string[] {
  return Object.entries(fields)
    .filter(([name, value]) => !hiddenFields.has(name) && isShown(value))
    .map(([name, value]) => `${name}=${toText(value)}`);
}

function isShown(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}

function toText(value: unknown): string {
  return escapeControl(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A log line stays one line, and no text of a caller can steer the terminal. */
function escapeControl(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
}

function parseObject(value: unknown): Fields | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  if (typeof value !== 'string' || !value.startsWith('{')) return undefined;
  try {
    return JSON.parse(value) as Fields;
  } catch {
    return undefined;
  }
}
