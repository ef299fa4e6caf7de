import { describe, expect, test } from '@jest/globals';
import { geminiArrayClient, geminiClient, geminiVendor } from '../../../lambda/dialects/gemini/gemini.ts';

const callerError = {
  status: 429,
  code: 'rate_limit_exceeded',
  type: 'rate_limit',
  message: 'Too many requests.',
  param: null,
  requestId: 'req-1',
};
const written = {
  error: {
    code: 429,
    message: 'Too many requests.',
    status: 'RESOURCE_EXHAUSTED',
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: 'RATE_LIMIT_EXCEEDED',
        domain: 'sluice',
        metadata: { type: 'rate_limit' },
      },
      { '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId: 'req-1' },
    ],
  },
};

describe('errors of a vendor', () => {
  const details = [
    { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '48s' },
  ];

  test('keeps message, reason, status and the wait that is asked for', () => {
    const text = JSON.stringify([{ error: { code: 400, message: 'Bad key.', status: 'INVALID_ARGUMENT', details } }]);

    expect(geminiVendor.decodeError(400, {}, text)).toEqual({
      message: 'Bad key.',
      type: 'INVALID_ARGUMENT',
      param: undefined,
      code: 'API_KEY_INVALID',
      retryAfterMs: 48_000,
    });
  });

  test('takes the status where no reason is given, and nothing from other texts', () => {
    const text = JSON.stringify({ error: { code: 404, message: 'No.', status: 'NOT_FOUND' } });

    expect(geminiVendor.decodeError(404, {}, text)).toMatchObject({ code: 'NOT_FOUND' });
    expect(geminiVendor.decodeError(502, {}, '<html>')).toMatchObject({ message: undefined, code: undefined });
  });
});

describe('errors for a caller', () => {
  test('has the form that the official SDK reads', () => {
    expect(geminiClient.encodeError(callerError)).toEqual(written);
  });

  test('ends a stream that has begun, in either form', () => {
    const begun = '[{}';

    expect(geminiClient.encodeStreamError(callerError)).toBe(`data: ${JSON.stringify(written)}\r\n\r\n`);
    expect(JSON.parse(begun + geminiArrayClient.encodeStreamError(callerError))).toEqual([{}, written]);
  });
});
