import { readableLine } from '../lambda/telemetry/readable-line.ts';

/** One readable line out of one log line, `12:00:01 gateway 200 fast → …`; undefined when another line says the same. */
export function formatLogLine(source: string, line: string, now: Date, colours = false): string | undefined {
  const text = readableLine(line, colours);
  return text === undefined ? undefined : `${now.toTimeString().slice(0, 8)} ${source} ${text}`;
}
