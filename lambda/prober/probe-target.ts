import type { Snapshot } from '../config/snapshot.ts';
import type { GatewayRequest, Sink } from '../gateway/exchange.ts';
import { createGateway } from '../gateway/gateway.ts';
import type { GatewayDeps } from '../gateway/gateway-deps.ts';
import { findProvider } from '../providers/provider.ts';
import type { DueProbe } from '../routing/due-probes.ts';
import type { FailureKind } from '../routing/failure.ts';
import type { TargetScore } from '../routing/score.ts';
import type { AttemptRecord, RequestRecord } from '../telemetry/request-record.ts';

/** What a probe found. */
export type ProbeResult = {
  outcome: 'answered' | FailureKind;
  /** The vendor's count; where it has told none, as many as a probe may cost, or none if it surely did not begin. */
  tokens: number;
  timeToFirstChunkMs: number | undefined;
  promises: NonNullable<TargetScore['probe']>;
};

export type ProbeLimits = { deadlineMs: number; signal: AbortSignal };

/** Enough to see whether the answer comes piece by piece; models that think spend them on that. */
export const probeOutputTokens = 16;
/** With the question, and what vendors put around it. */
export const probeTokensAtMost = 64;

const question = 'Count from 1 to 9.';
/** Pieces of an answer that was made before it was sent come within less. */
const leastSpreadMs = 4;
/** Shorter answers may fit in one piece. */
const leastStreamedTokens = 8;

/**
 * Asks one target a tiny question, as a caller would: through the gateway's own line, so that samples and breakers hear
 * of it like of any other request. Only its samples are marked, and no line of a request is written.
 */
export async function probeTarget(
  target: DueProbe,
  snapshot: Snapshot,
  deps: GatewayDeps,
  limits: ProbeLimits,
): Promise<ProbeResult> {
  let record: RequestRecord | undefined;
  const core = createGateway({
    ...deps,
    findCaller: async () => ({ label: 'prober', models: undefined }),
    measure: (sample) => deps.measure({ ...sample, probe: true }),
    telemetry: {
      ...deps.telemetry,
      requestCompleted: (completed) => {
        record = completed;
      },
    },
  });
  const arrivals: number[] = [];
  await core.handle(probeRequest(target, snapshot, deps, limits), timedSink(arrivals, deps.now));
  const { usage, responseModel, attempts = [], timeToFirstChunkMs, errorCode } = record ?? {};
  const outcome = attempts.at(-1)?.brokeOff ?? attempts.at(-1)?.outcome ?? 'bad_response';
  const spreadMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0);
  const isLong = (usage?.outputTokens ?? 0) >= leastStreamedTokens;
  return {
    outcome: outcome === 'differs' || (errorCode !== undefined && outcome === 'answered') ? 'bad_response' : outcome,
    tokens: usage ? usage.inputTokens + usage.outputTokens : attempts.some(mayHaveCost) ? probeTokensAtMost : 0,
    timeToFirstChunkMs,
    promises: {
      atMs: deps.now(),
      ...(outcome === 'answered' && {
        ...(isLong && { streams: spreadMs >= leastSpreadMs }),
        ...(responseModel !== undefined && { echoesModel: echoes(responseModel, target.model) }),
        reportsUsage: usage !== undefined,
      }),
    },
  };
}

function probeRequest(
  { provider, model }: DueProbe,
  snapshot: Snapshot,
  { now, newId }: GatewayDeps,
  { deadlineMs, signal }: ProbeLimits,
): GatewayRequest {
  const limit = findProvider(snapshot, provider)?.maxTokensField ?? 'max_tokens';
  const body = {
    model: `${provider}/${model}`,
    stream: true,
    stream_options: { include_usage: true },
    [limit]: probeOutputTokens,
    messages: [{ role: 'user', content: question }],
  };
  return {
    id: newId(),
    method: 'POST',
    path: '/v1/chat/completions',
    query: '',
    headers: { authorization: 'Bearer probe', 'x-sluice-unsupported-parameters': 'drop' },
    body: Buffer.from(JSON.stringify(body)),
    receivedAtMs: now(),
    deadlineMs,
    signal,
  };
}

/** A vendor that fell silent or broke off may have read and written all the same. */
function mayHaveCost({ outcome, brokeOff, status }: AttemptRecord): boolean {
  const hasBegun = outcome === 'answered' || outcome === 'timeout' || outcome === 'bad_response';
  return brokeOff !== undefined || (hasBegun && (status ?? 200) < 400);
}

/** Notes when pieces of the answer came, and forgets them. */
function timedSink(arrivals: number[], now: () => number): Sink {
  const note = () => {
    arrivals.push(now());
    return undefined;
  };
  return { head: () => {}, write: note, end: () => undefined };
}

/** Vendors answer with a dated name, or with less than what a router calls it. */
function echoes(answered: string, asked: string): boolean {
  return answered.includes(asked) || asked.includes(answered);
}
