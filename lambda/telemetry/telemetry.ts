import type { Snapshot } from '../config/snapshot.ts';
import { embeddedMetrics, type MetricValues } from './embedded-metrics.ts';
import { factsText } from './facts-text.ts';
import { requestLines } from './request-lines.ts';
import type { RequestRecord } from './request-record.ts';

/** The one way to standard output: whole lines of JSON that are log and metrics at once. Nothing of it ever throws. */
export type Telemetry = {
  /** Writes the line of a request that is over; `snapshot` is the configuration that it was answered from. */
  requestCompleted(record: RequestRecord, snapshot: Snapshot | undefined): void;
  /** Counts an answer that is broken off on purpose, which the host takes for a failure of the gateway. */
  answerCutOff(record: RequestRecord): void;
  /**
   * Writes a line for something that happened, named in the past tense. Metrics of a target need its `provider` and
   * `model` among the fields. No field may hold a prompt, an answer or a secret.
   */
  event(name: string, fields?: Readonly<Record<string, unknown>>, metrics?: MetricValues): void;
};

export type TelemetryOptions = {
  /** Of the metrics in CloudWatch. */
  namespace: string;
  write: (line: string) => void;
  now: () => number;
};

export function createTelemetry({ namespace, write, now }: TelemetryOptions): Telemetry {
  const embed = embeddedMetrics(namespace);
  const linesOf = requestLines(embed);
  const event: Telemetry['event'] = (name, fields = {}, metrics = {}) => {
    const nowMs = now();
    const head = factsText({ event: name, at: new Date(nowMs).toISOString(), ...fields });
    write(`${head.slice(0, -1)}${embed(metrics, nowMs)}}`);
  };
  return {
    event,
    answerCutOff({ requestId, receivedAtMs, errorCode, faultDomain }) {
      const at = new Date(now()).toISOString();
      const head = factsText({ event: 'AnswerCutOff', at, requestId, errorCode, faultDomain });
      write(`${head.slice(0, -1)}${embed({ answersCutOff: 1 }, receivedAtMs)}}`);
    },
    requestCompleted(record, snapshot) {
      for (const line of linesOf(record, snapshot, now())) write(line);
    },
  };
}

/** Writes lines to standard output as they come. */
export function standardOutput(line: string): void {
  process.stdout.write(`${line}\n`);
}
