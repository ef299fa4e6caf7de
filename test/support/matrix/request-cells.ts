import type { ClientDialect } from '../../../lambda/dialects/dialect.ts';
import type { JsonObject } from '../../../lambda/dialects/json-value.ts';
import { requestDifferences } from '../../recordings/compare-requests.ts';
import { readRequest } from '../../recordings/translate-request.ts';
import type { DialectFixture } from '../dialect-fixtures/dialect-fixture.ts';
import { type AskedFeature, clientRequests } from './client-requests.ts';

/** What became of a wish on its way to a vendor; undefined when callers of the dialect cannot have it. */
export type Wish = { losses: string[]; unsupported: readonly string[] };

export function wishOf(
  client: ClientDialect,
  { dialect, target }: DialectFixture,
  feature: AskedFeature,
): Wish | undefined {
  const body = clientRequests[client.name]?.[feature];
  if (!body) return undefined;
  const request = client.decodeRequest({ ...body, model: 'm' }, { model: 'm', stream: false });
  const { body: written, unsupported } = dialect.encodeRequest(request, target);
  const sent = JSON.parse(JSON.stringify(written)) as JsonObject;
  const losses = requestDifferences(readRequest(client.name, body), readRequest(dialect.name, sent), {
    unsupported,
    vendor: dialect.name,
  });
  const mark = marks[feature];
  if (mark && !mark.test(JSON.stringify(sent)) && unsupported.length === 0)
    losses.push(`${feature}: not in the request`);
  return { losses, unsupported };
}

/** How a wish looks in a body, in the words of any dialect, where the readers of recorded requests do not ask for it. */
const marks: Partial<Record<AskedFeature, RegExp>> = {
  'parallel calls off': /"parallel_tool_calls":false|"disable_parallel_tool_use":true/,
  logprobs: /"(logprobs|responseLogprobs)":true|"top_logprobs":2/,
};
