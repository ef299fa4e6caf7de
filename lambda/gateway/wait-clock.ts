import type { IncomingMessage } from 'node:http';
import type { Upstream, UpstreamCall, UpstreamExchange } from '../providers/upstream.ts';
import type { Sink } from './exchange.ts';

/** Measures for how long a request waits for others; what is left of its time is the gateway's own. */
export type WaitClock = {
  /** A wait begins; the function that comes back ends it. Waits at the same time count once. */
  begin(): () => void;
  during<T>(promise: Promise<T>): Promise<T>;
  waitedMs(): number;
};

/** `monotonicMs` is a clock with fractions that never goes back. */
export function waitClock(monotonicMs: () => number): WaitClock {
  let running = 0;
  let sinceMs = 0;
  let waited = 0;
  const begin = () => {
    if (running++ === 0) sinceMs = monotonicMs();
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      if (--running === 0) waited += monotonicMs() - sinceMs;
    };
  };
  return {
    begin,
    during: (promise) => promise.finally(begin()),
    waitedMs: () => waited + (running > 0 ? monotonicMs() - sinceMs : 0),
  };
}

/** Vendors whose calls count as waiting, from the call to the last byte of its answer. */
export function watchedUpstream(
  upstream: Upstream,
  clock: WaitClock,
  onResponse: (response: IncomingMessage) => void,
): Upstream {
  const watched = (call: UpstreamCall, send: (call: UpstreamCall) => UpstreamExchange) => {
    const end = clock.begin();
    const exchange = send(call);
    exchange.response.then((response) => {
      response.once('close', end);
      onResponse(response);
    }, end);
    return exchange;
  };
  return {
    post: (call) => watched(call, upstream.post),
    get: (call) => watched(call, upstream.get),
    send: (method, call) => watched(call, (sent) => upstream.send(method, sent)),
    close: upstream.close,
  };
}

/** A caller whose slowness counts as waiting. */
export function watchedSink(sink: Sink, clock: WaitClock, onHead: (status: number) => void): Sink {
  const timed = (slow: Promise<void> | undefined) => (slow === undefined ? undefined : clock.during(slow));
  return {
    head(status, headers) {
      sink.head(status, headers);
      onHead(status);
    },
    write: (bytes) => timed(sink.write(bytes)),
    end: (bytes) => timed(sink.end(bytes)),
  };
}
