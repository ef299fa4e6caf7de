import { styleText } from 'node:util';
import { targetName } from '../routing/target-name.ts';
import type { RequestRecord } from './request-record.ts';

type Fields = Readonly<Record<string, unknown>>;
type Paint = (colour: 'red' | 'green' | 'yellow' | 'dim', text: string) => string;
type CompletedRequest = RequestRecord & { durationMs: number };

/** What machines need, and what stands in the text already. A name with a dot is a metric's. */
const hidden = /^(event|at|_aws|timestamp|time|requestId|level|message|.*\..*)$/;
/** The line of the request says it too. */
const saidElsewhere: readonly unknown[] = ['AttemptFailed', 'AttemptAnswered'];

/**
 * A line of the log for people, without its time: `200 fast → openai/gpt-4o  first 320 ms  total 812 ms  12 in 34 out`.
 * Undefined when another line says the same. A text that is no line of ours stays as it is.
 */
export function readableLine(line: string, colours: boolean): string | undefined {
  const paint: Paint = (colour, text) => (colours ? styleText(colour, text, { validateStream: false }) : text);
  const fields = parseObject(line);
  if (!fields) return plain(line);
  // Lambda's runtime wraps what `console.log` got; an object in there is the function's own line.
  const inner = parseObject(fields['message']);
  const own = inner ?? fields;
  const { event } = own;
  if (saidElsewhere.includes(event)) return undefined;
  if (event === 'RequestCompleted') return requestText(own as unknown as CompletedRequest, paint);
  const isBad = /(Failed|Rejected|NotSent|Lost|Opened)$/.test(String(event)) || own['state'] === 'rejected';
  const words = [
    isShown(fields['level']) && plain(fields['level']),
    isShown(event) && (isBad ? paint('red', plain(event)) : plain(event)),
    !inner && isShown(fields['message']) && plain(fields['message']),
    ...Object.entries(own).map(
      ([name, value]) => !hidden.test(name) && isShown(value) && plain(`${name}=${text(value)}`),
    ),
  ];
  return words.filter(Boolean).join(' ');
}

function requestText(request: CompletedRequest, paint: Paint): string {
  const { status, stream, usage, timeToFirstChunkMs, errorCode, faultDomain, cause } = request;
  const hasFailed = errorCode !== undefined || status === undefined || status >= 500;
  const colour = hasFailed ? (faultDomain === 'caller' || faultDomain === 'policy' ? 'yellow' : 'red') : 'green';
  const parts = [
    `${paint(colour, String(status ?? '---'))} ${plain(asked(request))}`,
    attemptsText(request),
    stream && timeToFirstChunkMs !== undefined && `first ${duration(timeToFirstChunkMs)}`,
    `total ${duration(request.durationMs)}`,
    usage && `${usage.inputTokens} in ${usage.outputTokens} out`,
    errorCode && paint(colour, plain(`${errorCode} (${faultDomain})`)),
    cause && plain(cause),
    request.coldStart && paint('dim', 'cold start'),
  ];
  return parts.filter(Boolean).join('  ');
}

/** The model and who answered for it, or the path where no model was asked for. */
function asked({ method, path, requestModel, provider, targetModel }: CompletedRequest): string {
  const target = provider && targetModel && targetName({ provider, model: targetModel });
  if (!target) return `${method} ${path}${requestModel ? ` ${requestModel}` : ''}`;
  return requestModel === target ? target : `${requestModel ?? 'default model'} → ${target}`;
}

/** How many attempts it took when one did not do, and what became of those that failed. */
function attemptsText({ attempts }: CompletedRequest): string | undefined {
  const failed = attempts.filter(({ outcome }) => outcome !== 'answered');
  if (failed.length === 0) return attempts.length > 1 ? `${attempts.length} attempts` : undefined;
  const reasons = failed.map(({ detail, outcome, status, durationMs, ...target }) =>
    [targetName(target), outcome, status, duration(durationMs), detail && `(${detail})`].filter(isShown).join(' '),
  );
  const count = attempts.length === 1 ? '1 attempt' : `${attempts.length} attempts`;
  return `${count}: ${plain(reasons.join(', '))}`;
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function isShown(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A log line stays one line, and no text of a caller can steer the terminal. */
function plain(value: unknown): string {
  return text(value).replaceAll(/\p{Cc}/gu, (character) => JSON.stringify(character).slice(1, -1));
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
