import { replaceMembers } from '../../dialects/json-members.ts';
import { isObject, type JsonObject, parseJson } from '../../dialects/json-value.ts';
import { type Form, formField, isFormType, readForm, withFormField } from '../../dialects/multipart.ts';
import { RequestProblem } from '../../dialects/request-problem.ts';
import type { EndpointName } from '../../dialects/vendor-endpoint.ts';
import type { GatewayRequest } from '../exchange.ts';

/** A request for something besides a conversation, as far as it must be understood to be passed on. */
export type ForwardCall = {
  endpoint: EndpointName;
  model: string;
  /** The answer may come piece by piece. */
  stream: boolean;
  contentType: string;
  /** The same body but for the model's name. */
  bodyFor(model: string): Buffer | string;
  /** The parsed body; undefined when it is a form. */
  json: JsonObject | undefined;
};

/** Reads a body of JSON or a form; throws `RequestProblem`. */
export function readForwardCall(
  endpoint: EndpointName,
  { headers, body }: Pick<GatewayRequest, 'headers' | 'body'>,
): ForwardCall {
  const contentType = headers['content-type'];
  return isFormType(contentType)
    ? readFormCall(endpoint, contentType, readForm(body, contentType))
    : readJsonCall(endpoint, body.toString('utf8'));
}

function readJsonCall(endpoint: EndpointName, text: string): ForwardCall {
  const json = parseJson(text);
  if (!isObject(json)) {
    throw new RequestProblem(text.trim() === '' ? 'The request has no body.' : 'The body is not a JSON object.');
  }
  const { model, stream, stream_format: format } = json;
  if (model !== undefined && model !== null && typeof model !== 'string') {
    throw new RequestProblem('"model" must be a string.', 'model');
  }
  return {
    endpoint,
    model: requireName(model),
    // Speech comes as it is spoken.
    stream: stream === true || format === 'sse' || endpoint === 'audio/speech',
    contentType: 'application/json',
    bodyFor: (name) => replaceMembers(text, { model: JSON.stringify(name) }),
    json,
  };
}

function readFormCall(endpoint: EndpointName, contentType: string, form: Form): ForwardCall {
  return {
    endpoint,
    model: requireName(formField(form, 'model')),
    stream: formField(form, 'stream')?.trim() === 'true',
    contentType,
    bodyFor: (name) => withFormField(form, 'model', name),
    json: undefined,
  };
}

/** The default model is one to talk to; nobody's request shall end there by mistake. */
function requireName(model: string | null | undefined): string {
  const name = model?.trim();
  if (name) return name;
  throw new RequestProblem('"model" is missing; name a model that is made for this.', 'model');
}
