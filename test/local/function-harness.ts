import { readFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { createChildProcesses } from '../../local/child-processes.ts';
import type { FunctionDefinition } from '../../local/function-definition.ts';
import { type FunctionUrl, type FunctionUrlDefinition, startFunctionUrl } from '../../local/function-url.ts';
import { type InvocationReport, LocalFunction, type LocalFunctionOptions } from '../../local/local-function.ts';

/** A function behind its URL, with everything it logged and reported. */
export type Harness = {
  target: LocalFunction;
  url: FunctionUrl;
  logs: string[];
  reports: InvocationReport[];
  /** Sends a request and resolves when its invocation is over, too. */
  sendAndReport(path: string, options?: RequestInput): Promise<{ seen: Seen; report: InvocationReport }>;
  close(): Promise<void>;
};

/** Starts a function of the fixtures behind a function URL. */
export async function startHarness(
  definition: FunctionDefinition,
  urlOverrides: Partial<FunctionUrlDefinition> = {},
  functionOverrides: Partial<LocalFunctionOptions> = {},
): Promise<Harness> {
  const children = createChildProcesses();
  const logs: string[] = [];
  const reports: InvocationReport[] = [];
  const target = new LocalFunction({
    definition,
    children,
    platformVariables: {},
    onLog: (_name, line) => logs.push(line),
    onReport: (report) => reports.push(report),
    ...functionOverrides,
  });
  const url = await startFunctionUrl(
    {
      logicalId: 'GatewayUrl',
      functionName: definition.name,
      invokeMode: 'RESPONSE_STREAM',
      cors: undefined,
      ...urlOverrides,
    },
    target,
  );
  return {
    target,
    url,
    logs,
    reports,
    async sendAndReport(path, options) {
      const seen = await send(`${url.url}/${path}`, options);
      const find = () => reports.find(({ requestId }) => requestId === seen.headers['x-amzn-requestid']);
      await until(() => find() !== undefined);
      return { seen, report: find() as InvocationReport };
    },
    async close() {
      await Promise.all([url.close(), target.close()]);
      await children.close();
    },
  };
}

/** What a caller saw: the answer with the time of each chunk, and whether it was cut off. */
export type Seen = {
  status: number;
  headers: IncomingHttpHeaders;
  headAtMs: number;
  chunks: { text: string; atMs: number }[];
  text: string;
  endAtMs: number;
  wasCut: boolean;
};

/** What a test sends. */
export type RequestInput = { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer };

/** Sends one request on a connection of its own and reads the answer to its end, however it ends. */
export function send(url: string, { method = 'GET', headers = {}, body }: RequestInput = {}): Promise<Seen> {
  const startedAt = performance.now();
  const now = (): number => performance.now() - startedAt;
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers, agent: false }, (response) => {
      const headAtMs = now();
      const chunks: Seen['chunks'] = [];
      response.setEncoding('utf8');
      response.on('data', (text: string) => chunks.push({ text, atMs: now() }));
      response.on('error', () => {});
      response.on('close', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          headAtMs,
          chunks,
          text: chunks.map(({ text }) => text).join(''),
          endAtMs: now(),
          wasCut: !response.complete,
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Polls until the condition holds; fails after a deadline. */
export async function until(condition: () => boolean | Promise<boolean>, deadlineMs = 5_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Whether a process with this id runs; one that has ended and that nobody has asked about yet does not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}
