import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';

/** A snapshot with one model, and whatever a test wants to be different. */
export function aSnapshot(fields: Partial<Snapshot> = {}): Snapshot {
  return {
    version: 1,
    compiledAt: '2026-01-01T00:00:00.000Z',
    providers: recordByName([]),
    models: recordByName([['gpt-4o', aModel('openai')]]),
    settings: {},
    ...fields,
  };
}

/** A model with one target at that provider. */
export function aModel(provider: string): Snapshot['models'][string] {
  return { targets: [{ provider, model: 'gpt-4o', weight: 1 }], strategy: 'latency', fallbacks: [], timeouts: {} };
}
