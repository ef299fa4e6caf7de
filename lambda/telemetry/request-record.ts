import type { Usage } from '../dialects/usage.ts';

/** What is known of one request when it is over. Holds no prompt, no answer and no secret, and never may. */
export type RequestRecord = {
  requestId: string;
  method: string;
  path: string;
  /** Milliseconds since the epoch. */
  receivedAtMs: number;
  status?: number;
  keyLabel?: string;
  requestModel?: string | undefined;
  provider?: string;
  targetModel?: string;
  responseModel?: string | undefined;
  stream?: boolean;
  attempts: readonly object[];
  timeToFirstChunkMs?: number;
  usage?: Usage | undefined;
  finishReason?: string | undefined;
  errorCode?: string;
  faultDomain?: string;
  /** Why an internal error happened: the type and the place of the exception, never its message. */
  cause?: string;
  configVersion?: number;
};

/** One line of JSON for the log. */
export function requestLogLine(record: RequestRecord, nowMs: number): string {
  const { receivedAtMs } = record;
  const head = `{"event":"RequestCompleted","at":"${new Date(receivedAtMs).toISOString()}","durationMs":${nowMs - receivedAtMs},`;
  // The rest of an object's text behind its opening brace: cheaper than a copy with three more fields.
  return head + JSON.stringify(record).slice(1);
}
