import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { type ScriptedVendor, startScriptedVendor } from './scripted-vendor.ts';

/**
 * A vendor for the tests of the file or suite in which this is called: filled before any of their hooks that stand
 * below, and each test begins with nothing seen.
 */
export function suiteVendor(): ScriptedVendor {
  const vendor = {} as ScriptedVendor;
  beforeAll(async () => {
    Object.assign(vendor, await startScriptedVendor());
  });
  beforeEach(() => {
    vendor.seen.length = 0;
  });
  afterAll(() => vendor.close?.());
  return vendor;
}
