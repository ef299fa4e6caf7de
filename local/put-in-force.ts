import { setTimeout as delay } from 'node:timers/promises';
import { readStatus, writeConfig } from './config-table.ts';
import type { DynamoDbCall } from './dynamodb-call.ts';
import { InitError } from './function-environment.ts';
import { LocalStackError } from './local-stack-error.ts';
import type { RunningFunctions } from './running-functions.ts';
import type { StartConfig } from './start-config.ts';

/** What it takes to bring a configuration into force. */
export type PutInForceOptions = {
  call: DynamoDbCall;
  configTable: string;
  config: StartConfig;
  running: RunningFunctions;
  apiKey: string;
  /** A table that outlives the stack may hold edits of its own; when those are rejected, the last good state serves. */
  keepsEdits: boolean;
  log(source: string, line: string): void;
};

const deadlineMs = 20_000;

/** Writes the configuration, waits until the compiler has published it, and then until the gateway serves it. */
export async function putInForce(options: PutInForceOptions): Promise<void> {
  const { call, configTable, config, running } = options;
  await writeConfig(call, configTable, config);
  await within(running.drain(), 'The compiler has not published the configuration');
  const isPublished = await checkStatus(options);
  // Not earlier: an environment reads the snapshot while it starts.
  await running.gateway.prewarm().catch((error: unknown) => {
    if (error instanceof InitError) throw new LocalStackError(`The gateway function does not start: ${error.message}`);
    throw error;
  });
  const models = [...config.items, ...config.defaults].filter(({ kind }) => kind === 'model').map(({ name }) => name);
  await untilServed(options, isPublished ? models : []);
}

async function checkStatus({ call, configTable, keepsEdits, log }: PutInForceOptions): Promise<boolean> {
  const status = await readStatus(call, configTable);
  if (status?.state !== 'rejected') return true;
  const message = ['The configuration was rejected:', ...status.errors].join('\n  ');
  if (!keepsEdits) throw new LocalStackError(message);
  for (const line of message.split('\n')) log('config', line);
  return false;
}

async function untilServed({ running, apiKey }: PutInForceOptions, models: string[]): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const health = await answerOf(`${running.gatewayUrl}/health`, apiKey);
    const list = await answerOf(`${running.gatewayUrl}/v1/models`, apiKey);
    const served = new Set((JSON.parse(list.text) as { data?: { id: string }[] }).data?.map(({ id }) => id));
    if (health.ok && list.ok && models.every((model) => served.has(model))) return;
    if (Date.now() > deadline) {
      const missing = models.filter((model) => !served.has(model)).join(', ');
      throw new LocalStackError(
        `The gateway does not serve the configuration after ${deadlineMs / 1000} s: GET /health answers ${health.status}, GET /v1/models ${list.status}, missing models: ${missing || 'none'}`,
      );
    }
    await delay(100);
  }
}

async function answerOf(url: string, apiKey: string): Promise<{ ok: boolean; status: number; text: string }> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${apiKey}` } });
  const text = await response.text();
  return { ok: response.ok, status: response.status, text: text.startsWith('{') ? text : '{}' };
}

async function within(promise: Promise<void>, problem: string): Promise<void> {
  const timer = new AbortController();
  const expired = delay(deadlineMs, true, { signal: timer.signal }).catch(() => false);
  const isLate = await Promise.race([promise.then(() => false), expired]);
  timer.abort();
  if (isLate) throw new LocalStackError(`${problem} after ${deadlineMs / 1000} s; the lines above say why`);
}
