import type { Snapshot } from '../config/snapshot.ts';
import { targetName } from './target-name.ts';

const known = new WeakMap<Snapshot, ReadonlySet<string>>();

/** Whether a target is one of a model's or of its rules'; any other is only a name that a caller has given. */
export function isConfiguredTarget(name: string, snapshot: Snapshot): boolean {
  let names = known.get(snapshot);
  if (!names) {
    names = new Set(Object.values(snapshot.models).flatMap(targetsOf).map(targetName));
    known.set(snapshot, names);
  }
  return names.has(name);
}

function targetsOf({ targets, rules = [] }: Snapshot['models'][string]) {
  const uses = rules.flatMap(({ use, split = [] }) => [use, ...split.map((share) => share.use)]);
  return [...targets, ...uses.flatMap((use) => use?.targets ?? [])];
}
