/** A call of a tool on its way to the caller. */
export type QueuedCall = {
  id: string;
  name: string;
  signature: string | undefined;
  /** Arguments that came while another call was being written. */
  waiting: string[];
  scan: JsonScan;
};

/** How far the text of a JSON object has come. */
export type JsonScan = { depth: number; inString: boolean; escaped: boolean; begun: boolean };

export function newScan(): JsonScan {
  return { depth: 0, inString: false, escaped: false, begun: false };
}

/** True once the outermost object or list has been closed. */
export function isComplete({ begun, depth }: JsonScan): boolean {
  return begun && depth === 0;
}

/** Follows a further piece of the text; looks at each character once. */
export function scanJson(scan: JsonScan, text: string): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (scan.escaped) scan.escaped = false;
    else if (scan.inString) {
      if (code === 92) scan.escaped = true;
      else if (code === 34) scan.inString = false;
    } else if (code === 34) scan.inString = true;
    else if (code === 123 || code === 91) {
      scan.depth++;
      scan.begun = true;
    } else if (code === 125 || code === 93) scan.depth--;
  }
}
