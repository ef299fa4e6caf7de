import type { DialectName } from '../../../lambda/dialects/chat-request.ts';
import type { ClientDialect } from '../../../lambda/dialects/dialect.ts';
import { vendorDialects } from '../../../lambda/dialects/vendor-dialects.ts';
import { catalogue } from '../../../lambda/providers/catalogue.ts';
import type { CatalogueEntry } from '../../../lambda/providers/catalogue-entry.ts';
import { allClientDialects } from '../dialect-fixtures/all-clients.ts';
import type { DialectFixture } from '../dialect-fixtures/dialect-fixture.ts';
import { dialectFixtures } from '../dialect-fixtures/fixtures.ts';
import { type AnsweredFeature, answeredFeatures, answerLosses } from './answer-cells.ts';
import { type AskedFeature, askedFeatures } from './client-requests.ts';
import { wishOf } from './request-cells.ts';

/** `unchanged`: the bytes pass. `named`: refused by name, or dropped and named. `impossible`: one side has no words for it. */
export type Cell = 'unchanged' | 'holds' | 'named' | 'impossible' | { lost: string[] };

export type Feature = AnsweredFeature | AskedFeature;
export const features: readonly Feature[] = [...(Object.keys(answeredFeatures) as AnsweredFeature[]), ...askedFeatures];

/** For each dialect of callers and each of vendors, what becomes of every feature. */
export type Matrix = ReadonlyMap<DialectName, ReadonlyMap<DialectName, ReadonlyMap<Feature, Cell>>>;

/** Callers of the legacy completions have no words for most of it. */
export async function translatingClients(): Promise<ClientDialect[]> {
  return (await allClientDialects()).filter(({ name }) => name !== 'openai-completions');
}

export async function measureMatrix(): Promise<Matrix> {
  const rows = (await translatingClients()).map(async (client) => {
    const columns = dialectFixtures.map(
      async (fixture) => [fixture.dialect.name, await cellsOf(client, fixture)] as const,
    );
    return [client.name, new Map(await Promise.all(columns))] as const;
  });
  return new Map(await Promise.all(rows));
}

async function cellsOf(client: ClientDialect, fixture: DialectFixture): Promise<ReadonlyMap<Feature, Cell>> {
  const cells = features.map(async (feature) => [feature, await cellOf(client, fixture, feature)] as const);
  return new Map(await Promise.all(cells));
}

async function cellOf(client: ClientDialect, fixture: DialectFixture, feature: Feature): Promise<Cell> {
  const isSame = client.name === fixture.dialect.name;
  if (isAnswered(feature)) {
    const losses = await answerLosses(client, fixture, feature);
    if (losses === undefined) return 'impossible';
    return isSame ? 'unchanged' : losses.length > 0 ? { lost: losses } : 'holds';
  }
  const wish = wishOf(client, fixture, feature);
  if (!wish) return 'impossible';
  if (isSame) return 'unchanged';
  if (wish.losses.length > 0) return { lost: wish.losses };
  return wish.unsupported.length > 0 ? 'named' : 'holds';
}

function isAnswered(feature: Feature): feature is AnsweredFeature {
  return Object.hasOwn(answeredFeatures, feature);
}

/** A vendor of the catalogue, once for each set of dialects that it speaks, and the one that it speaks with each client. */
export type VendorRow = { label: string; name: string; spoken: ReadonlyMap<DialectName, DialectName> };

export function vendorRows(clients: readonly DialectName[]): VendorRow[] {
  return catalogue.flatMap((entry) => {
    const sets = dialectSets(entry);
    return sets.map((dialects) => ({
      name: entry.name,
      label: sets.length > 1 ? `${entry.name} (${dialects.join(', ')})` : entry.name,
      spoken: new Map(
        clients.flatMap((client) => {
          const spoken = dialects.includes(client) ? client : dialects[0];
          return spoken ? [[client, spoken] as const] : [];
        }),
      ),
    }));
  });
}

function dialectSets({ paths, models }: CatalogueEntry): DialectName[][] {
  const all = models?.map(({ dialects }) => [...dialects]) ?? [Object.keys(paths) as DialectName[]];
  const known = all.map((dialects) => dialects.filter((name) => Object.hasOwn(vendorDialects, name)));
  return [...new Map(known.filter((set) => set.length > 0).map((set) => [set.join(), set])).values()];
}
