import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { NextFetch } from '../../dialects/dialect.ts';
import { isObject, parseJson } from '../../dialects/json-value.ts';
import { originOf, type Provider } from '../../providers/provider.ts';
import { readBody } from '../../providers/read-body.ts';
import type { Upstream, UpstreamCall, UpstreamError, UpstreamExchange } from '../../providers/upstream.ts';
import type { VendorRequest } from '../operation.ts';

/** An answer that leads nowhere; the message holds nothing of it. */
export class UnusableAnswerError extends Error {}

/** How the answers of a vendor are followed: whose they are, and what its own hosts are sent. */
export type Following = {
  nextFetch: VendorRequest['nextFetch'];
  provider: Provider;
  stream: boolean;
  /** The headers that authorize; they go to no host but the vendor's own. */
  authorization: Readonly<Record<string, string>>;
};

type Deps = { upstream: Upstream; sleep(ms: number): Promise<void> };

const largestAnswerBytes = 64 * 1024 * 1024;

/**
 * Calls a vendor. Where its first answer only says where the answer is to be found (`nextFetch` of its dialect), that is
 * fetched, as often as it takes; whoever holds the exchange sees one call, which ends as a whole when it is aborted.
 */
export function followedCall(call: UpstreamCall, following: Following, deps: Deps): UpstreamExchange {
  const first = deps.upstream.post(call);
  const { nextFetch } = following;
  if (!nextFetch) return first;
  let current = first;
  const { promise: ended, reject: end } = Promise.withResolvers<never>();
  // Nobody may be waiting when it ends.
  ended.catch(() => {});

  async function follow(): Promise<IncomingMessage> {
    let response = await first.response;
    while (isJson(response)) {
      const { body, full } = await readBody(response, largestAnswerBytes);
      const parsed = full ? parseJson(body.toString('utf8')) : undefined;
      const next = isObject(parsed) ? nextFetch?.(parsed, { stream: following.stream }) : undefined;
      if (!next) return replayed(response, body);
      const fetched = fetchCall(next, call, following);
      if (next.afterMs) await Promise.race([deps.sleep(next.afterMs), ended]);
      current = deps.upstream.get(fetched);
      response = await Promise.race([current.response, ended]);
    }
    return response;
  }

  return {
    response: follow(),
    abort(error: UpstreamError) {
      current.abort(error);
      end(error);
    },
  };
}

function isJson({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode <= 299 && /^application\/json\b/i.test(headers['content-type'] ?? '');
}

/** The same message with its body still to be read. */
function replayed({ statusCode, headers }: IncomingMessage, body: Buffer): IncomingMessage {
  return Object.assign(Readable.from([body], { objectMode: false }), { statusCode, headers }) as IncomingMessage;
}

function fetchCall(next: NextFetch, call: UpstreamCall, { provider, authorization }: Following): UpstreamCall {
  const url = URL.parse(next.url);
  const reach = url ? reachOf(url, provider) : 'foreign';
  if (!url || reach === 'foreign') throw new UnusableAnswerError('It points to an address that is not its own');
  return {
    origin: originOf(url),
    path: url.pathname + url.search,
    headers: {
      accept: next.accept,
      'accept-encoding': 'identity',
      'user-agent': 'sluice',
      ...(reach === 'with key' ? { ...authorization, ...provider.headers } : {}),
    },
    body: '',
    connectMs: call.connectMs,
  };
}

/** Whether an address that an answer named may be called, and with the key: a vendor's word must not lead it elsewhere. */
function reachOf(url: URL, { origin, answersAt }: Provider): 'with key' | 'without key' | 'foreign' {
  const own = originOf(url);
  if (own.secure === origin.secure && own.host === origin.host) return 'with key';
  if (!own.secure || url.port !== '' || !answersAt) return 'foreign';
  if (answersAt.keyHosts.includes(url.hostname)) return 'with key';
  return answersAt.hosts.test(url.hostname) ? 'without key' : 'foreign';
}
