import type { CallIdForm } from '../dialects/call-ids.ts';
import type { DialectName } from '../dialects/chat-request.ts';
import type { ThoughtsField } from '../dialects/dialect.ts';

/**
 * How a provider wants its key: `Authorization: Bearer …`, or a header of its own. `sigv4` signs with the function's role,
 * and needs no key; one that is there goes as a bearer. A `google-service-account` is exchanged for a token.
 */
export type Auth =
  | { kind: 'bearer' }
  | { kind: 'header'; name: string; prefix?: string }
  | { kind: 'sigv4'; service: string }
  | { kind: 'google-service-account' };

/**
 * A path under the base URL. `{deployment}` and `{apiVersion}` are filled in from configuration, `{model}` is the model's
 * name, `{location}` the project and region at Google. Some vendors have another path for streams.
 */
export type EndpointPath = string | { buffered: string; streamed: string };

/** The addresses of a vendor that has one in each region. */
export type Regions = {
  /** What its regions are called, with an example, to end a message with. */
  called: string;
  pattern: RegExp;
  /** The address, with `{region}` in it, and those that are made otherwise. */
  url: string;
  urls?: Readonly<Record<string, string>>;
  /** The region when configuration names none. */
  default?: string;
};

/** Which dialects a vendor speaks with some of its models; the first group of the pattern is the model's name there. */
export type ModelRoute = { pattern: RegExp; dialects: readonly DialectName[] };

/** Members of the body that differ from those of the dialect; `null` stands for one that must not be there. */
export type BodyMembers = Readonly<Record<string, string | null>>;

/**
 * What an error of a vendor means whose own code does not say so. `means` is a code that failures are judged by; a
 * message is looked at where the vendor gives nothing else to tell the error by.
 */
export type ErrorRule = { status?: number; type?: string; message?: RegExp; means: string };

/** Where Cloudflare's AI Gateway has a vendor: what stands for its base URL, and the paths where they are others. */
export type CloudflareRoute = { path: string; paths?: Partial<Record<DialectName, EndpointPath>> };

/** Hosts of a vendor beside the one that is called; they speak TLS. */
export type AnswerHosts = { hosts: RegExp; keyHosts: readonly string[] };

/** Protocol facts of one vendor API. Models, weights and keys are configuration and never stand here. */
export type CatalogueEntry = {
  /** Name in configuration and in `provider/model`. */
  name: string;
  /** Other names under which people know it; each works wherever the name does. */
  aliases?: string[];
  /** OpenTelemetry `gen_ai.provider.name`. */
  telemetryName: string;
  /** Absent when every customer has an address of their own; configuration must then give it. */
  baseUrl?: string;
  auth: Auth;
  /** Where it speaks which dialect; callers of another one are translated into the first. */
  paths: Partial<Record<DialectName, EndpointPath>>;
  /** For vendors that do not speak every dialect with every model: the first that fits a model's name counts. */
  models?: readonly ModelRoute[];
  body?: Partial<Record<DialectName, BodyMembers>>;
  /** Value of `{apiVersion}` when configuration gives none. */
  apiVersion?: string;
  /** Paths that are others in some of the versions that configuration may name. */
  versions?: Readonly<Record<string, Partial<Record<DialectName, EndpointPath>>>>;
  /** Environment variables that may hold its key, the first set one wins. */
  environmentKeys: string[];
  /** For vendors whose address holds an account: the variable that names it, and the URL with `{}` in its place. */
  accountUrl?: { variable: string; url: string };
  /** Environment variables that fill in fields of its configuration. */
  environmentFields?: Readonly<Partial<Record<'region' | 'project', readonly string[]>>>;
  /** True when it may be called without any key, as servers on one's own machine are. */
  keyOptional?: true;
  /** Where it has an address in each region; configuration names the region. */
  regions?: Regions;
  /** Headers of every request, such as the version of its API. */
  headers?: Record<string, string>;
  /** What the limit of output tokens is called; `max_tokens` where nothing is said. */
  maxTokensField?: 'max_completion_tokens';
  /** Absent when Cloudflare's AI Gateway does not know the vendor, or not by this API. */
  cloudflare?: CloudflareRoute;
  /** The first that fits gives the code of an error. */
  errors?: readonly ErrorRule[];
  /**
   * Where answers are to be found that its first answer only points to, apart from where it was called; the key goes to
   * `keyHosts` alone.
   */
  answersAt?: AnswerHosts;
  /** True when streams carry usage unasked and `stream_options` is refused with 422, as Mistral does. */
  refusesStreamOptions?: true;
  /** What ids of calls it takes back; `openai` where nothing is said. */
  callIds?: CallIdForm;
  /** True when the calls of Gemini's dialect, and their results, must carry no ids. */
  refusesCallIds?: true;
  /** Where its chat protocol takes back what a model thought; most refuse fields that they do not know. */
  thoughtsField?: ThoughtsField;
  /** True when it takes Anthropic's `cache_control` on the parts of OpenAI's messages. */
  takesCacheHints?: true;
  /** What `@pydantic/genai-prices` calls it. */
  pricesId?: string;
  /** True when it chooses among vendors itself, by `models` and `provider` in the body. */
  readsRoutingFields?: true;
};
