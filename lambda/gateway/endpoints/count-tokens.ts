import { decodePrompt } from '../../dialects/anthropic-messages/decode-request.ts';
import type { ChatRequest } from '../../dialects/chat-request.ts';
import { clientDialectsByPath } from '../../dialects/client-dialects.ts';
import { estimatedTokens } from '../../dialects/estimated-tokens.ts';
import { replaceMembers } from '../../dialects/json-members.ts';
import { isObject, type JsonObject, parseJson } from '../../dialects/json-value.ts';
import { RequestProblem } from '../../dialects/request-problem.ts';
import { countableParts, type TokenCounter, tokenCounters } from '../../dialects/token-counters.ts';
import { vendorDialects } from '../../dialects/vendor-dialects.ts';
import { type VendorCounter, vendorCounter } from '../../providers/catalogue-counters.ts';
import { filledPath, findProvider, type Provider, type SpokenModel, spokenModel } from '../../providers/provider.ts';
import type { Failure, FailureKind } from '../../routing/failure.ts';
import type { AttemptRecord } from '../../telemetry/request-record.ts';
import { answerHeaders } from '../answers/answer-headers.ts';
import { deliverAnswer } from '../answers/deliver-answer.ts';
import { askModel } from '../ask-model.ts';
import { failureError } from '../attempts/failure-error.ts';
import { understood } from '../caller/client-call.ts';
import { requireModel } from '../caller/models.ts';
import { type Exchange, sendJson } from '../exchange.ts';
import { readForwarded } from '../forwarding/forwarded-answer.ts';
import type { GatewayDeps } from '../gateway-deps.ts';
import type { Operation, VendorRequest } from '../operation.ts';
import { noteOperation } from './answer-operation.ts';

/** A request to count tokens, as Anthropic's callers write it. */
type CountCall = { text: string; json: JsonObject; model: string | undefined; request(): ChatRequest };

/** What a caller must mend; after every other failure an estimate is worth more than an error. */
const callersFault: readonly FailureKind[] = ['rejected', 'content_policy', 'cancelled'];

/** What a picture or a document may cost, where nobody counts it. */
const tokensPerMedium = 1_500;

/** Answers `POST /v1/messages/count_tokens`: by the first target that can count, or by an estimate that says so. */
export async function countTokens(exchange: Exchange, deps: GatewayDeps): Promise<void> {
  const { request, record, snapshot, caller, timings, sink } = exchange;
  const call = timings.translating(() => understood(() => readCountCall(request.body.toString('utf8'))));
  noteOperation(exchange, { model: call.model, stream: false });
  const { targets } = requireModel(snapshot, call.model, caller);
  const counts = targets.some(({ provider: name, model }) => {
    const provider = findProvider(snapshot, name);
    return provider !== undefined && counterOf(provider, model) !== undefined;
  });
  const attempts: AttemptRecord[] = [];
  record.attempts = attempts;
  if (counts) {
    const { target, outcome, settle } = await askModel(countOperation(call), exchange, deps, attempts);
    record.provider = target.provider;
    record.targetModel = target.model;
    if (outcome.kind !== 'failed') {
      const client = await messagesClient();
      return deliverAnswer(exchange, { target, client, outcome, settle });
    }
    if (callersFault.includes(outcome.failure.kind)) throw failureError(outcome.failure, target);
  }
  const { text, media } = countableParts(call.json);
  record.usageEstimated = true;
  await sendJson(
    sink,
    200,
    { input_tokens: estimatedTokens(text) + media * tokensPerMedium },
    { ...answerHeaders(record, timings), 'x-sluice-estimated': 'true' },
  );
}

async function messagesClient() {
  const client = await clientDialectsByPath['/messages']?.();
  if (!client) throw new Error('Nobody speaks the dialect of Messages');
  return client;
}

function readCountCall(text: string): CountCall {
  const json = parseJson(text);
  if (!isObject(json)) {
    throw new RequestProblem(text.trim() === '' ? 'The request has no body.' : 'The body is not a JSON object.');
  }
  const decoded = decodePrompt(json);
  return { text, json, model: decoded.model, request: () => decoded };
}

/** How a provider counts for a model: the dialect it is asked in may be another one than that of its answers. */
function counterOf(provider: Provider, model: string): { spoken: SpokenModel; counter: VendorCounter } | undefined {
  const spoken = spokenModel(provider, model, 'anthropic-messages');
  const counter = spoken && vendorCounter(provider.type, spoken.dialect);
  return counter && { spoken, counter };
}

function countOperation(call: CountCall): Operation {
  return {
    model: call.model,
    stream: false,
    isAside: true,
    async requestTo(provider, { model, project }) {
      const found = counterOf(provider, model);
      if (!found) return { failure: { kind: 'not_offered', detail: 'count of tokens' } };
      const { spoken, counter } = found;
      const path = filledPath(provider, counter.path, spoken.name, provider.project ?? project);
      const way = tokenCounters[counter.counter];
      const vendor = await vendorDialects[way.dialect]?.();
      if (path === undefined || !vendor) return notCallable;
      const question = () =>
        way.question(vendor.encodeRequest(call.request(), { ...provider, model: spoken.model }).body, spoken.name);
      // Callers and vendors of one dialect understand more than the gateway does.
      const body =
        counter.counter === 'messages'
          ? replaceMembers(call.text, { model: JSON.stringify(spoken.name) })
          : JSON.stringify(question());
      const read: VendorRequest['read'] = (response, { now, hidden }) =>
        readForwarded(response, {
          hidden,
          errors: { vendor, errors: provider.errors, nowMs: now() },
          translate: (answer) => countAnswer(way, answer),
        });
      return { path, body, headers: {}, unsupported: [], read };
    },
  };
}

const notCallable: { failure: Failure } = {
  failure: { kind: 'not_found', detail: 'The provider cannot be called' },
};

function countAnswer({ count }: TokenCounter, answer: JsonObject) {
  const tokens = count(answer);
  return typeof tokens === 'number' ? { body: { input_tokens: tokens }, usage: undefined } : undefined;
}
