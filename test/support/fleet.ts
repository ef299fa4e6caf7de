import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import type { Upstream, UpstreamCall } from '../../lambda/providers/upstream.ts';
import { aSnapshot } from './snapshots.ts';

/** As many gateways as a fleet has in a test. */
export const gatewayCount = 50;

/** The model `one` with a target of each of these providers, the first one first. */
export function modelOf(...providers: string[]): Snapshot {
  const targets = providers.map((provider) => ({ provider, model: 'm', weight: 1 }));
  return aSnapshot({
    providers: recordByName(
      providers.map((name) => [name, { type: 'openai', baseUrl: `http://${name}.example/v1` }] as const),
    ),
    models: recordByName([['one', { targets, strategy: 'priority', fallbacks: [], timeouts: {} }]]),
  });
}

export type Reply = { status: number; body: unknown };

/** Vendors without connections, so that a fleet can ask them all at once; `answer` hears which of them is asked. */
export function vendorsAnswering(answer: (provider: string) => Reply | Promise<Reply>): Upstream {
  const post = ({ origin }: UpstreamCall) => ({
    response: Promise.resolve(answer(origin.hostname.split('.')[0] ?? '')).then(messageOf),
    abort: () => {},
  });
  return { post, get: post, send: (_, call) => post(call), close: () => {} };
}

function messageOf({ status, body }: Reply): IncomingMessage {
  const stream = new PassThrough();
  stream.end(JSON.stringify(body));
  return Object.assign(stream, { statusCode: status, headers: {} }) as unknown as IncomingMessage;
}

export const died: Reply = { status: 500, body: { error: { message: 'dead' } } };
