import { createHash } from 'node:crypto';
import { type ConfigFile, parseConfigFile } from '../lambda/config/config-file.ts';
import { configFromEnvironment } from '../lambda/config/environment-config.ts';
import type { RawItem } from '../lambda/config/raw-item.ts';
import type { VendorSecrets } from '../lambda/config/vendor-secrets.ts';
import { demoItems } from '../lambda/providers/demo-vendor.ts';

/** What one start brings into the stack. */
export type StartConfig = {
  /** Put into the config table whatever is there. */
  items: RawItem[];
  /** Put only where nothing is: an edit of a kept table wins over them. */
  defaults: RawItem[];
  secrets: VendorSecrets;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration of a text or a parsed file, over what the environment holds; a broken text throws a `ConfigFileError`. */
export function configFromFile(config: string | ConfigFile, environment: Environment): StartConfig {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const file = typeof config === 'string' ? parseConfigFile(config, { environment, sha256 }) : config;
  const beneath = configFromEnvironment(environment);
  const named = new Set(file.items.map(labelOf));
  const items = [...beneath.items.filter((item) => !named.has(labelOf(item))), ...file.items];
  return { items, defaults: [], secrets: { ...beneath.secrets, ...file.secrets } };
}

/** Without a file: the vendors whose keys are in the environment, and the demo vendor. */
export function configWithDemo(demoUrl: string, environment: Environment): StartConfig {
  const { items, secrets } = configFromEnvironment(environment);
  const demo = demoItems(demoUrl);
  // The demo vendor has another port at every start.
  const providers = demo.filter(({ kind }) => kind === 'provider');
  return { items: [...items, ...providers], defaults: demo.filter(({ kind }) => kind !== 'provider'), secrets };
}

/** A model that a first request can name, and a target that a first new model can have. */
export type Example = { model: string; target: string };

/** Finds something that answers, for the first request of a person who has just started. */
export function exampleOf({ items, defaults, secrets }: StartConfig): Example {
  const model = [...items, ...defaults].find(({ kind }) => kind === 'model');
  const [firstTarget] = (model?.['targets'] ?? []) as (string | { target: string })[];
  const provider = Object.keys(secrets)[0] ?? items.find(({ kind }) => kind === 'provider')?.name ?? 'openai';
  const target = (typeof firstTarget === 'object' ? firstTarget.target : firstTarget) ?? `${provider}/MODEL`;
  return { model: model?.name ?? target, target };
}

function labelOf({ kind, name }: RawItem): string {
  return `${kind}/${name}`;
}
