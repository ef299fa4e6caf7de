import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll } from '@jest/globals';
import type OpenAI from 'openai';
import {
  answer,
  chunk,
  completion,
  done,
  role,
  type Script,
  type ScriptedVendor,
  startScriptedVendor,
  stream,
  usageChunk,
} from './scripted-vendor.ts';
import { ask, type Seen, sdkClient } from './sdk-caller.ts';
import type { GatewayOptions, RunningGateway } from './serve-process.ts';

export const limits = { connectMs: 1_000, firstContentMs: 500, answerMs: 500, idleMs: 500, totalMs: 10_000 };

export const messages = [{ role: 'user' as const, content: 'hi' }];

export const error = (message: string, more: object = {}) => ({ error: { message, ...more } });
export const breakOff = (response: ServerResponse) => void response.destroy();
export const never = () => new Promise<void>(() => {});

/** Each fault has targets of its own, so that what is learnt of one never hides another. */
const scenarios = Array.from({ length: 60 }, (_, index) => `s${index}`);

/** A gateway between two scripted vendors, asked by the official SDK. */
export type TwoVendors = {
  first: ScriptedVendor;
  second: ScriptedVendor;
  gateway: RunningGateway;
  client: OpenAI;
  /** Another model whose targets nobody has asked yet; both vendors have seen nothing, and the second answers. */
  fresh(): string;
  /** How many attempts each vendor saw since then. */
  asked(): [number, number];
  seen(model: string, stream: boolean, headers?: Record<string, string>): Promise<Seen>;
  close(): Promise<void>;
};

/** An answer in the form that the caller asked for. */
export const saying =
  (...pieces: string[]): Script =>
  (request, response) => {
    const streamed = stream(
      role,
      ...pieces.map((content) => chunk({ content })),
      chunk({}, 'stop'),
      usageChunk(),
      done,
    );
    return (request.body['stream'] ? streamed : answer(200, completion(pieces.join(''))))(request, response);
  };

/** Two vendors and a gateway for all tests of the suite in which it is called; filled when they begin. */
export function betweenTwoVendors(start: (options: GatewayOptions) => Promise<RunningGateway>): TwoVendors {
  const between = {} as TwoVendors;
  beforeAll(async () => {
    Object.assign(between, await startTwoVendors(start));
  }, 60_000);
  afterAll(() => between.close?.());
  return between;
}

async function startTwoVendors(start: (options: GatewayOptions) => Promise<RunningGateway>): Promise<TwoVendors> {
  const [first, second] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
  const gateway = await start({ config: configuration(first.url, second.url), apiKey: 'sk-test-of-the-caller' });
  const client = sdkClient(gateway);
  // The first request of a process takes longest, and is nobody's fault: on a busy machine longer than the limits allow.
  for (const vendor of [first, second]) vendor.always(saying('awake'));
  for (const model of ['s0-alone', 's0-large'])
    for (const stream of [false, true]) await ask(client, { model, stream });
  let scenario = 1;
  return {
    first,
    second,
    gateway,
    client,
    fresh() {
      const name = scenarios[scenario++];
      if (name === undefined) throw new Error('There are more tests than models');
      for (const vendor of [first, second]) vendor.seen.length = 0;
      second.always(saying('from', ' b'));
      return name;
    },
    asked: () => [first.seen.length, second.seen.length],
    seen: (model, stream, headers = {}) => ask(client, { model, stream, headers }),
    async close() {
      await gateway.close();
      await Promise.all([first.close(), second.close()]);
    },
  };
}

function configuration(first: string, second: string): object {
  const entries = (make: (name: string) => [string, unknown][]) => Object.fromEntries(scenarios.flatMap(make));
  const at = (baseUrl: string) => ({ type: 'openai-compatible', baseUrl });
  const model = (targets: (string | object)[], more: object = {}) => ({
    targets,
    strategy: 'priority',
    timeouts: limits,
    ...more,
  });
  return {
    providers: entries((one) => [
      [`${one}-a`, at(first)],
      [`${one}-b`, at(second)],
    ]),
    models: entries((one) => [
      [one, model([`${one}-a/m`, `${one}-b/m`])],
      [`${one}-alone`, model([`${one}-a/m`])],
      [`${one}-partial`, model([`${one}-a/m`, { target: `${one}-b/m`, continuesPartial: true }])],
      [`${one}-larger`, model([`${one}-a/m`], { fallbacks: [`${one}-large`] })],
      [`${one}-large`, model([`${one}-b/large`])],
    ]),
    secrets: entries((one) => [
      [`${one}-a`, 'key-a'],
      [`${one}-b`, 'key-b'],
    ]),
  };
}
