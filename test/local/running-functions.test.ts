import { describe, expect, test } from '@jest/globals';
import { shortName } from '../../local/running-functions.ts';
import { aFunction } from './fixtures/definitions.ts';

describe('the short name of a function', () => {
  test.each([
    ['EndpointGatewayFunctionCEE94CE4', 'gateway'],
    ['ConfigCompilerFunction438074DC', 'compiler'],
    ['Prober12345678', 'prober'],
    ['Function12345678', 'function'],
  ])('in the log of %s is %s', (logicalId, expected) => {
    expect(shortName(aFunction('pid', { logicalId }))).toBe(expected);
  });
});
