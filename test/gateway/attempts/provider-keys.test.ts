import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { wantedKeys } from '../../../lambda/gateway/attempts/provider-keys.ts';
import { chatRequest, closeCores, handled, snapshotOf } from '../../support/core.ts';
import { answer, completion } from '../../support/scripted-vendor.ts';
import { suiteVendor } from '../../support/suite-vendor.ts';

describe('the header x-sluice-provider-key', () => {
  test.each<[string | undefined, object | undefined]>([
    [undefined, undefined],
    ['1', { from: 1, to: 1 }],
    ['2-4', { from: 2, to: 4 }],
  ])('may be %j', (text, range) => {
    expect(wantedKeys({ headers: { 'x-sluice-provider-key': text } })).toEqual(range);
  });

  test.each(['0', '4-2', '1-', 'sk-secret', '1,2', '', '99999'])('must not be %j', (text) => {
    expect(() => wantedKeys({ headers: { 'x-sluice-provider-key': text } })).toThrow(/place of a key/);
  });
});

describe('the keys of a provider', () => {
  const vendor = suiteVendor();
  beforeAll(async () => {
    vendor.always(answer(200, completion('hi')));
  });
  afterEach(() => {
    closeCores();
  });

  const secrets = { scripted: ['one', 'two', 'three'] };
  const deps = { secrets: { get: async () => secrets, refresh: async () => secrets } };
  const usedKeys = () => vendor.seen.map(({ headers }) => headers.authorization?.slice('Bearer '.length));

  test('are taken as the provider is configured', async () => {
    const snapshot = snapshotOf(vendor.url, { provider: { keys: { rotation: 'weighted', weights: [0, 0, 1] } } });

    await handled(snapshot, chatRequest(), { deps });

    expect(usedKeys()).toEqual(['three']);
  });

  test('can be chosen by the caller, by place; the log tells the place and never the key', async () => {
    const headers = { 'x-api-key': 'k', 'x-sluice-provider-key': '2' };

    const { line, log } = await handled(snapshotOf(vendor.url), chatRequest({}, { headers }), { deps });

    expect(usedKeys()).toEqual(['two']);
    expect(line.attempts).toMatchObject([{ key: 2 }]);
    expect(log).not.toContain('"two"');
  });

  test('that are not there are named in the error', async () => {
    const headers = { 'x-api-key': 'k', 'x-sluice-provider-key': '7-9' };

    const { head, text, line } = await handled(snapshotOf(vendor.url), chatRequest({}, { headers }), { deps });

    expect(head?.status).toBe(400);
    expect(JSON.parse(text).error).toMatchObject({
      code: 'invalid_request',
      param: 'x-sluice-provider-key',
      message: expect.stringContaining('There is no key at place 7 to 9.'),
    });
    expect(line.faultDomain).toBe('caller');
  });
});
