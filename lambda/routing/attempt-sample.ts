import type { FailureKind } from './failure.ts';
import type { PromptSize } from './score.ts';

/** What one attempt showed of its target, to be added to the statistics. Holds nothing of the request's text. */
export type AttemptSample = {
  /** `provider/model`. */
  target: string;
  atMs: number;
  streamed: boolean;
  promptSize: PromptSize;
  /** `cancelled`: the caller left, or another target was faster. Neither a success nor a failure of the target's. */
  outcome: 'answered' | FailureKind;
  /** Second try of the same request on the same target. */
  retry: boolean;
  /** Asked by a probe and by no caller. */
  probe?: true;
  /** No conversation was asked for, but an embedding, a picture or the like. */
  other?: true;
  /**
   * Streamed: time to the first content. Buffered: time to the whole answer. After a timeout or when it was cancelled,
   * how long it was waited: then the true wait is at least this long. Absent when the failure says nothing of it.
   */
  waitMs?: number;
  /** Tokens of the answer as the vendor counted them, and the time from the first content to the end. */
  outputTokens?: number;
  generationMs?: number;
};
