import { isObject, type JsonObject, numberOrZero } from '../json-value.ts';

/** A `logprobsResult` in OpenAI's form; undefined when it has no tokens. */
export function decodeLogprobs(result: unknown): JsonObject[] | undefined {
  if (!isObject(result) || !Array.isArray(result['chosenCandidates'])) return undefined;
  const steps = Array.isArray(result['topCandidates']) ? result['topCandidates'] : [];
  const tokens = result['chosenCandidates'].map((chosen, index) => {
    const step: unknown = steps[index];
    const others = isObject(step) && Array.isArray(step['candidates']) ? step['candidates'] : [];
    return { ...decodeToken(chosen), top_logprobs: others.map(decodeToken) };
  });
  return tokens.length > 0 ? tokens : undefined;
}

function decodeToken(candidate: unknown): JsonObject {
  const token = isObject(candidate) && typeof candidate['token'] === 'string' ? candidate['token'] : '';
  const logprob = isObject(candidate) ? numberOrZero(candidate['logProbability']) : 0;
  return { token, logprob, bytes: [...Buffer.from(token)] };
}

/** Tokens in OpenAI's form as a `logprobsResult`. */
export function encodeLogprobs(content: readonly JsonObject[]): JsonObject {
  return {
    chosenCandidates: content.map(encodeToken),
    topCandidates: content.map(({ top_logprobs: others }) => ({
      candidates: Array.isArray(others) ? others.filter(isObject).map(encodeToken) : [],
    })),
  };
}

function encodeToken({ token, logprob }: JsonObject): JsonObject {
  return { token, logProbability: logprob };
}
