import { describe, expect, test } from '@jest/globals';
import type { Context, LambdaFunctionURLEvent } from 'aws-lambda';
import { gatewayRequest } from '../../lambda/hosts/function-url.ts';

const context = { awsRequestId: 'id-1', getRemainingTimeInMillis: () => 60_000 } as Context;

/** An event of format 2.0 as a function URL sends it: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
function anEvent(fields: Partial<LambdaFunctionURLEvent> = {}, method = 'POST'): LambdaFunctionURLEvent {
  return {
    version: '2.0',
    rawPath: '/v1/chat/completions',
    rawQueryString: '',
    headers: { 'x-api-key': 'key' },
    requestContext: { http: { method } },
    isBase64Encoded: false,
    ...fields,
  } as LambdaFunctionURLEvent;
}

describe('gatewayRequest', () => {
  test('reads method, path, headers and id', () => {
    const request = gatewayRequest(anEvent({ rawQueryString: 'a=b' }), context, 1_000);

    expect(request).toMatchObject({
      id: 'id-1',
      method: 'POST',
      path: '/v1/chat/completions',
      query: 'a=b',
      headers: { 'x-api-key': 'key' },
      receivedAtMs: 1_000,
    });
  });

  test.each([
    ['text', { body: '{"ü":"☃"}' }, '{"ü":"☃"}'],
    ['base64', { body: Buffer.from('{"ü":"☃"}').toString('base64'), isBase64Encoded: true }, '{"ü":"☃"}'],
    ['nothing', {}, ''],
    ['nothing in base64', { isBase64Encoded: true }, ''],
  ])('reads a body of %s', (_, fields, expected) => {
    expect(gatewayRequest(anEvent(fields), context, 0).body.toString('utf8')).toBe(expected);
  });

  test('needs no cookies', () => {
    expect(gatewayRequest(anEvent({ cookies: ['a=b'] }), context, 0).headers).toEqual({ 'x-api-key': 'key' });
  });

  test('keeps time back from the function for an error event and the log line', () => {
    expect(gatewayRequest(anEvent(), context, 1_000).deadlineMs).toBe(1_000 + 60_000 - 2_000);
  });

  test('never sees its caller leave', () => {
    expect(gatewayRequest(anEvent(), context, 0).signal.aborted).toBe(false);
  });
});
