import { compileSnapshot, type FactsOf } from '../config/compile.ts';
import { parseKeyItem } from '../config/parse-key-item.ts';
import type { RawItem } from '../config/raw-item.ts';
import { unknownKindErrors } from '../config/validate-item.ts';
import type { ConfigStatus, ConfigWriter } from '../store/config-store.ts';
import { encodedBytes, encodeSnapshot } from '../store/snapshot-encoding.ts';

/** What happened to the configuration, for whoever listens. */
export type ConfigEvent = { type: 'ConfigPublished' | 'ConfigRejected'; version: number; errors: string[] };

/** What publishing needs. An event that cannot be sent must not undo the publication: `emit` reports and goes on. */
export type PublishContext = {
  store: ConfigWriter;
  emit: (event: ConfigEvent) => Promise<void>;
  now: () => number;
  /** What is publicly known of models: prices, context windows. */
  factsOf?: FactsOf;
};

/** 28 items; the gateway reads them all when it starts. */
const maxSnapshotBytes = 10_000_000;
const maxRaces = 5;
/** An item holds 400 KB and an event 256 KB. */
const maxErrors = 100;
const maxErrorLength = 500;

/**
 * Compiles what the table holds now and publishes it if it differs from what is in force. `changed` are the items of the
 * edit that are not compiled: keys, and kinds that do not exist; a bad one is reported and stops nothing else. Throws
 * only what is worth another try.
 */
export async function publishConfiguration(context: PublishContext, changed: RawItem[]): Promise<ConfigStatus> {
  const outcome = await compileAndPublish(context);
  const errors = limited([...outcome.errors, ...changed.flatMap(itemErrors)]);
  const { version } = outcome;
  const at = new Date(context.now()).toISOString();
  const status: ConfigStatus = { state: errors.length > 0 ? 'rejected' : 'published', version, at, errors };
  await context.store.writeStatus(status);
  if (outcome.isNew) await context.emit({ type: 'ConfigPublished', version, errors: [] });
  if (errors.length > 0) await context.emit({ type: 'ConfigRejected', version, errors });
  return status;
}

type Outcome = { version: number; isNew: boolean; errors: string[] };

async function compileAndPublish({ store, now, factsOf }: PublishContext): Promise<Outcome> {
  for (let race = 0; race < maxRaces; race++) {
    // The pointer first: were the items read before it, an edit between the two could be published over.
    const pointer = await store.readPointer();
    const version = pointer?.version ?? 0;
    const compiledAt = new Date(now()).toISOString();
    const result = compileSnapshot(await store.listItems(), { version: version + 1, compiledAt }, factsOf);
    if ('errors' in result) return { version, isNew: false, errors: result.errors };
    const encoded = encodeSnapshot(result.snapshot);
    if (encoded.sha256 === pointer?.sha256) return { version, isNew: false, errors: [] };
    if (encodedBytes(encoded) > maxSnapshotBytes)
      return { version, isNew: false, errors: [tooLarge(encodedBytes(encoded))] };
    if (await store.publish(encoded, version)) return { version: version + 1, isNew: true, errors: [] };
  }
  throw new Error(`Another compiler was faster ${maxRaces} times in a row; the edit is compiled again`);
}

function tooLarge(bytes: number): string {
  return `configuration: ${bytes} bytes when compressed; ${maxSnapshotBytes} are allowed, so remove models or targets`;
}

function itemErrors(item: RawItem): string[] {
  if (item.kind !== 'key') return unknownKindErrors(item);
  const result = parseKeyItem(item);
  return 'errors' in result ? result.errors : [];
}

function limited(errors: string[]): string[] {
  const shown = errors.slice(0, maxErrors).map((error) => error.slice(0, maxErrorLength));
  return errors.length > maxErrors ? [...shown, `and ${errors.length - maxErrors} more`] : shown;
}
