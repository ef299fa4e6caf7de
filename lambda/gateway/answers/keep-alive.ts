import type { Sink } from '../exchange.ts';

/**
 * Load balancers and networks end connections on which nothing moves for a minute, CloudFront after 30 seconds, while
 * a model may think for longer in the middle of its answer.
 */
export const keepAliveEveryMs = 15_000;

/** A sink that, from its first write on, says something meaningless whenever nothing was written for a while. */
export type KeepAliveSink<S extends Sink> = S & { stop(): void };

/** What is written must be whole events, for `text` may come between any two. */
export function keepAliveSink<S extends Sink>(sink: S, text: string, everyMs = keepAliveEveryMs): KeepAliveSink<S> {
  let pending: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  const write = (bytes: Uint8Array | string): Promise<void> | undefined => {
    // Refreshing costs next to nothing, unlike a new timer for each chunk.
    if (timer) timer.refresh();
    else if (!isStopped) timer = setTimeout(remind, everyMs);
    const slow = sink.write(bytes);
    if (slow === undefined) return undefined;
    const done = slow.finally(() => {
      if (pending === done) pending = undefined;
    });
    pending = done;
    return done;
  };
  const remind = () => {
    // A caller that is slow has something to read.
    if (pending) timer?.refresh();
    else write(text)?.catch(() => {});
  };
  const stop = () => {
    isStopped = true;
    clearTimeout(timer);
    timer = undefined;
  };
  return { ...sink, write, stop };
}
