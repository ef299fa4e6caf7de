/** What the Messages API accepts from a model; it refuses with a 400 what a model does not take. */
export type ModelTraits = {
  isClaude: boolean;
  /** Sent when the caller set no limit, which the API demands. */
  defaultMaxTokens: number;
  /** The most that may be asked for. */
  maxTokensLimit: number;
  /** `budget`: `{type: enabled, budget_tokens}`; `adaptive`: the model decides, led by an effort; `both` takes either. */
  thinking: 'none' | 'budget' | 'both' | 'adaptive';
  /** How thinking is switched off; `never` where it cannot be. */
  thinkingOff: 'disabled' | 'between_tools' | 'never';
  /** The words that `output_config.effort` takes, from little to much. */
  efforts: readonly string[];
  /** `output_config.format` and `strict` tools. */
  structuredOutputs: boolean;
  /** How many of temperature and top_p may be set at once. */
  samplers: 0 | 1 | 2;
  /** `system` messages between the others. */
  systemAnywhere: boolean;
};

/** Takes what is accepted everywhere, and leaves the rest to the vendor. */
const unknownModel: ModelTraits = {
  isClaude: false,
  defaultMaxTokens: 8192,
  maxTokensLimit: Number.POSITIVE_INFINITY,
  thinking: 'budget',
  thinkingOff: 'disabled',
  efforts: [],
  structuredOutputs: false,
  samplers: 2,
  systemAnywhere: false,
};

/** A deployment whose name tells no version: taken for a recent Claude, whose parameters the vendor judges. */
const unknownClaude: ModelTraits = {
  ...unknownModel,
  isClaude: true,
  defaultMaxTokens: 32_000,
  thinking: 'adaptive',
  efforts: ['low', 'medium', 'high'],
  structuredOutputs: true,
};

/**
 * What a model takes, read from its name as Anthropic, Vertex, Azure, Bedrock and OpenRouter write it
 * (https://platform.claude.com/docs/en/about-claude/models/overview and the migration guides there).
 */
export function modelTraits(model: string): ModelTraits {
  const name = model.toLowerCase();
  if (!/claude|opus|sonnet|haiku/.test(name)) return unknownModel;
  const version = versionOf(name);
  if (version === undefined) return unknownClaude;
  return {
    isClaude: true,
    ...maxTokens(name, version),
    ...thinking(name, version),
    efforts: effortsOf(name, version),
    structuredOutputs: version >= 4.05,
    samplers: version >= 4.07 ? 0 : version >= 4.01 ? 1 : 2,
    systemAnywhere: version >= 4.08,
  };
}

/** Version 4.5 as 4.05, so that 4.10 comes after it; dates are no minor versions. */
function versionOf(name: string): number | undefined {
  const found =
    /claude-(\d)(?:[.-](\d{1,2})(?!\d))?/.exec(name) ??
    /(?:opus|sonnet|haiku|fable|mythos)-(\d)(?:[.-](\d{1,2})(?!\d))?/.exec(name);
  return found ? Number(found[1]) + Number(found[2] ?? 0) / 100 : undefined;
}

/**
 * The default stays at 32,000 although newer models write more: prompt and limit together must fit the context window of
 * the older ones.
 */
function maxTokens(name: string, version: number): Pick<ModelTraits, 'defaultMaxTokens' | 'maxTokensLimit'> {
  const limit = limitOf(name, version);
  return { defaultMaxTokens: Math.min(limit, 32_000), maxTokensLimit: limit };
}

function limitOf(name: string, version: number): number {
  if (version < 3.05) return 4096;
  if (version < 3.07) return 8192;
  if (version < 4.05) return name.includes('opus') ? 32_000 : 64_000;
  return version < 4.06 ? 64_000 : 128_000;
}

function thinking(name: string, version: number): Pick<ModelTraits, 'thinking' | 'thinkingOff'> {
  const alwaysThinks = /fable|mythos/.test(name) || (name.includes('opus') && version >= 5.05);
  const onlyBetweenTools = name.includes('sonnet') && version >= 5.05;
  const thinkingOff = alwaysThinks ? 'never' : onlyBetweenTools ? 'between_tools' : 'disabled';
  if (version < 3.07) return { thinking: 'none', thinkingOff };
  if (version < 4.06) return { thinking: 'budget', thinkingOff };
  return { thinking: version < 4.07 ? 'both' : 'adaptive', thinkingOff };
}

/** https://platform.claude.com/docs/en/build-with-claude/effort */
function effortsOf(name: string, version: number): string[] {
  if (version >= 4.07) return ['low', 'medium', 'high', 'xhigh', 'max'];
  if (version >= 4.06) return ['low', 'medium', 'high', 'max'];
  return version === 4.05 && name.includes('opus') ? ['low', 'medium', 'high'] : [];
}
