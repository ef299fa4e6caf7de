import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { recordByName, type Snapshot } from '../../../lambda/config/snapshot.ts';
import type { GatewayRequest } from '../../../lambda/gateway/exchange.ts';
import { findProvider } from '../../../lambda/providers/provider.ts';
import { chatRequest, closeCores, handled, vendorSecret } from '../../support/core.ts';
import {
  answer,
  type Script,
  type ScriptedVendor,
  startScriptedVendor,
  stream,
} from '../../support/scripted-vendor.ts';
import { aSnapshot } from '../../support/snapshots.ts';

let replicate: ScriptedVendor;
let stranger: ScriptedVendor;

beforeAll(async () => {
  [replicate, stranger] = await Promise.all([startScriptedVendor(), startScriptedVendor()]);
});
beforeEach(() => {
  for (const vendor of [replicate, stranger]) vendor.seen.length = 0;
  replicate.always(answer(500, {}));
});
afterEach(closeCores);
afterAll(() => Promise.all([replicate.close(), stranger.close()]));

function snapshot(): Snapshot {
  return aSnapshot({ providers: recordByName([['replicate', { type: 'replicate', baseUrl: replicate.url }]]) });
}

const sleeps: number[] = [];
function ask(fields: object, request: Partial<GatewayRequest> = {}) {
  sleeps.length = 0;
  const sleep = async (ms: number) => void sleeps.push(ms);
  return handled(snapshot(), chatRequest({ model: 'replicate/meta/llama', ...fields }, request), { deps: { sleep } });
}

const prediction = { id: 'p1', model: 'meta/llama', error: null };
const events = stream('event: output\ndata: Hi\n\n', 'event: output\ndata:  you\n\n', 'event: done\ndata: {}\n\n');

function pointingTo(urls: object, fields: object = {}): Script {
  return answer(201, { ...prediction, status: 'starting', urls, ...fields });
}

describe('an answer that says where the answer is', () => {
  test('is followed to its stream', async () => {
    replicate.next(pointingTo({ stream: `${replicate.url}/streams/s1?a=b` }), events);

    const { head, text, line } = await ask({ stream: true });

    expect(head?.status).toBe(200);
    expect(text).toContain('"content":"Hi"');
    expect(text).toContain('"content":" you"');
    expect(line).toMatchObject({ finishReason: 'stop', attempts: [{ outcome: 'answered' }] });
    expect(replicate.seen.map(({ method, path, text: sent }) => [method, path, sent !== ''])).toEqual([
      ['POST', '/v1/predictions', true],
      ['GET', '/v1/streams/s1?a=b', false],
    ]);
    expect(replicate.seen[1]?.headers).toMatchObject({
      accept: 'text/event-stream',
      authorization: `Bearer ${vendorSecret}`,
    });
  });

  test('is asked for until it is there', async () => {
    const itself = { get: `${replicate.url}/predictions/p1` };
    const done = { ...prediction, status: 'succeeded', output: ['Hi', ' you'], urls: itself };
    replicate.next(pointingTo(itself), pointingTo(itself, { status: 'processing' }), answer(200, done));

    const { text } = await ask({});

    expect(JSON.parse(text).choices[0].message.content).toBe('Hi you');
    expect(replicate.seen.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
    expect(replicate.seen[0]?.headers['prefer']).toBe('wait');
    expect(sleeps).toEqual([500, 500]);
  });

  test('is told as a stream where the model has none', async () => {
    const itself = { get: `${replicate.url}/predictions/p1` };
    replicate.next(pointingTo(itself), answer(200, { ...prediction, status: 'succeeded', output: 'Hi you', urls: {} }));

    const { head, text } = await ask({ stream: true });

    expect(head?.headers['content-type']).toContain('text/event-stream');
    expect(text).toContain('"content":"Hi you"');
    expect(text).toContain('[DONE]');
  });

  test('leads to no stranger', async () => {
    replicate.always(pointingTo({ stream: `${stranger.url}/s`, get: `${stranger.url}/p` }));

    for (const streamed of [true, false]) {
      const { head, line } = await ask({ stream: streamed });

      expect(head?.status).toBe(502);
      expect(line.attempts[0]).toMatchObject({
        outcome: 'bad_response',
        detail: 'It points to an address that is not its own',
      });
    }
    expect(stranger.seen).toEqual([]);
  });

  test.each<[string, Script, number, string]>([
    ['an error of the second call', answer(404, { detail: 'gone', status: 404 }), 404, 'not_found'],
    [
      'a failure of the prediction',
      answer(200, { ...prediction, status: 'failed', error: 'melted' }),
      502,
      'server_error',
    ],
    ['a connection that breaks', (_, response) => void response.destroy(), 502, 'connection'],
  ])('ends with %s', async (_, second, status, outcome) => {
    const script: Script = (request, response) =>
      request.method === 'POST'
        ? pointingTo({ get: `${replicate.url}/p` })(request, response)
        : second(request, response);
    replicate.always(script);

    const { head, line } = await ask({});

    expect(head?.status).toBe(status);
    expect(line.attempts[0].outcome).toBe(outcome);
  });

  test('is not waited for beyond the deadline, nor for a caller who has gone', async () => {
    replicate.always((request, response) => {
      if (request.method === 'POST') return pointingTo({ stream: `${replicate.url}/s` })(request, response);
    });
    const late = await ask({ stream: true }, { deadlineMs: Date.now() + 60 });

    const leaving = new AbortController();
    const gone = ask({ stream: true }, { signal: leaving.signal });
    await replicate.sawRequests(replicate.seen.length + 2);
    leaving.abort();

    expect(late.head?.status).toBe(504);
    expect((await gone).line.errorCode).toBe('client_closed_request');
  });
});

test("Replicate's own hosts are known", () => {
  const provider = findProvider(aSnapshot(), 'replicate');

  expect(provider?.answersAt?.hosts.test('streaming-api.svc.rno2.c.replicate.net')).toBe(true);
  expect(provider?.answersAt?.hosts.test('stream.replicate.com')).toBe(true);
  expect(provider?.answersAt?.hosts.test('replicate.com.evil.example')).toBe(false);
  expect(provider?.answersAt?.hosts.test('evilreplicate.com')).toBe(false);
});
