import { expect, test } from '@jest/globals';
import { onDemand } from '../../lambda/dialects/on-demand.ts';

test('loads nothing before it is asked, loads once, and has it at hand from then on', async () => {
  let loads = 0;
  const code = onDemand(async () => ({ load: ++loads }));
  expect(loads).toBe(0);

  expect(await code()).toEqual({ load: 1 });

  expect(code()).toEqual({ load: 1 });
  expect(loads).toBe(1);
});

test('tries again after a load that failed', async () => {
  let loads = 0;
  const code = onDemand(async () => {
    if (++loads === 1) throw new Error('The disk is busy');
    return 'loaded';
  });

  await expect(code()).rejects.toThrow('The disk is busy');

  expect(await code()).toBe('loaded');
});
