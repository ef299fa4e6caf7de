import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { recordByName, type Snapshot } from '../../lambda/config/snapshot.ts';
import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import { createGateway } from '../../lambda/gateway/gateway.ts';
import { nodeHttpServer } from '../../lambda/hosts/node-http.ts';
import { catalogueEntry } from '../../lambda/providers/catalogue.ts';
import { findProvider } from '../../lambda/providers/provider.ts';
import { coreDeps } from '../support/core.ts';
import { aSnapshot } from '../support/snapshots.ts';

/** A model of the gateway that stands for one case, asked by callers of one dialect. */
export type ReplayTarget = {
  name: string;
  vendor: string;
  model: string;
  recorded: DialectName;
  baseUrl: string;
  client: DialectName;
};

/** The names of vendors in recordings that differ from those in the catalogue. */
const catalogueNames: Readonly<Record<string, string>> = { cloudflare: 'workers-ai' };

/** Whoever else speaks a dialect alone, for recordings of a vendor's second API. */
const others: Readonly<Partial<Record<DialectName, string>>> = {
  'openai-chat': 'openai-compatible',
  'openai-responses': 'openai',
  'anthropic-messages': 'anthropic',
  gemini: 'google-ai-studio',
  'bedrock-converse': 'aws-bedrock',
  'cohere-chat': 'cohere',
  replicate: 'replicate',
};

/** The gateway itself on loopback, with one provider and one model for each target. */
export async function startReplayGateway(targets: readonly ReplayTarget[]): Promise<{ url: string; close(): void }> {
  const snapshot = aSnapshot({
    providers: recordByName(targets.map((target) => [target.name, { type: typeOf(target), baseUrl: target.baseUrl }])),
    models: recordByName(
      targets.map(({ name, model }) => [
        name,
        {
          targets: [{ provider: name, model, weight: 1 }],
          strategy: 'priority',
          fallbacks: [],
          timeouts: {},
          unsupportedParameters: 'drop',
        },
      ]),
    ),
  });
  for (const target of targets) speakOnly(snapshot, target);
  const secrets = recordByName(targets.map(({ name }) => [name, [`key-of-${name}`]]));
  const { deps, close } = coreDeps(snapshot, {
    secrets: { get: async () => secrets, refresh: async () => secrets },
    newId: () => randomUUID().replaceAll('-', ''),
  });
  const server = nodeHttpServer(createGateway(deps));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const end = () => {
    server.close().closeAllConnections();
    close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: end };
}

/** The vendor's own entry, where it speaks the dialect that was recorded. */
function typeOf({ vendor, recorded }: ReplayTarget): string {
  const own = catalogueEntry(catalogueNames[vendor] ?? vendor);
  return own?.paths[recorded] ? own.name : (others[recorded] ?? vendor);
}

/** What was recorded is heard by the callers of all dialects, also where its vendor speaks theirs as well. */
function speakOnly(snapshot: Snapshot, { name, recorded }: ReplayTarget): void {
  const provider = findProvider(snapshot, name);
  if (!provider) return;
  provider.paths = { [recorded]: provider.paths[recorded] };
  provider.models = provider.models.map((route) => ({ ...route, dialects: [recorded] }));
}
