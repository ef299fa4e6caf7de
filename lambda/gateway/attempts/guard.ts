import { UpstreamError, type UpstreamExchange } from '../../providers/upstream.ts';

/** Ends a call that stays silent, outlives its deadline or has lost its caller. */
export type Guard = {
  /** From now on something must come within `ms`, again and again after each `progress`. */
  expect(what: string, ms: number): void;
  progress(): void;
  /** Silence is nobody's fault until the next `progress`: the caller is the slow one. */
  pause(): void;
  stop(): void;
};

export type GuardOptions = { deadlineInMs: number; signal: AbortSignal };

export function guardExchange(exchange: UpstreamExchange, { deadlineInMs, signal }: GuardOptions): Guard {
  const expire = (message: string) => exchange.abort(new UpstreamError('timeout', message));
  const leave = () => exchange.abort(new UpstreamError('connection', 'The caller has gone'));
  const deadline = setTimeout(expire, Math.max(0, deadlineInMs), 'The time for the whole request is over');
  let silence: NodeJS.Timeout | undefined;
  let watch = () => {};
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });

  const pause = () => {
    clearTimeout(silence);
    silence = undefined;
  };
  return {
    expect(what, ms) {
      watch = () => {
        silence = setTimeout(expire, ms, `No ${what} within ${ms} ms`);
      };
      pause();
      watch();
    },
    progress() {
      if (silence) silence.refresh();
      else watch();
    },
    pause,
    stop() {
      clearTimeout(deadline);
      pause();
      watch = () => {};
      signal.removeEventListener('abort', leave);
    },
  };
}
