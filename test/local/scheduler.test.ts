import { expect, test } from '@jest/globals';
import { rateMs } from '../../local/scheduler.ts';

test.each([
  ['rate(1 minute)', 60_000],
  ['rate(5 minutes)', 300_000],
  ['rate(1 hour)', 3_600_000],
  ['rate(2 days)', 172_800_000],
])('reads %s', (expression, expected) => {
  expect(rateMs(expression)).toBe(expected);
});

test.each(['cron(0 12 * * ? *)', 'rate(1 second)', 'rate(minute)', ''])('says that it cannot run %j', (expression) => {
  expect(() => rateMs(expression)).toThrow(/is no rate/);
});
