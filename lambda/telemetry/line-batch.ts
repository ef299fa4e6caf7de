/** Collects log lines and writes several at once: under load a write for each costs more than most of the request. */
export type LineBatch = { add(line: string): void; flush(): void };

/** Lines wait at most `longestWaitMs`; `flush` before the process ends. */
export function lineBatch(write: (text: string) => void, longestWaitMs: number): LineBatch {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    lines = [];
    write(text);
  };

  return {
    add(line) {
      lines.push(line);
      timer ??= setTimeout(flush, longestWaitMs).unref();
    },
    flush,
  };
}
