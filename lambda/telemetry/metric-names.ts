/**
 * Every metric there is: the runtime emits these and nothing else, and the dashboard and the alarms ask for nothing else.
 * Names are OpenTelemetry's where its GenAI conventions have one, with its unit for durations, seconds
 * (https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-metrics.md): as a server for
 * what a caller of this gateway sees, as a client for what the gateway sees of a target. Tokens have the names of its span
 * attributes, since their kind would be a third dimension.
 */
export const metricDefinitions = {
  requests: { name: 'sluice.requests', unit: 'Count', of: 'gateway' },
  requestSeconds: { name: 'gen_ai.server.request.duration', unit: 'Seconds', of: 'gateway' },
  firstTokenSeconds: { name: 'gen_ai.server.time_to_first_token', unit: 'Seconds', of: 'gateway' },
  overheadSeconds: { name: 'sluice.overhead', unit: 'Seconds', of: 'gateway' },
  coldStarts: { name: 'sluice.cold_starts', unit: 'Count', of: 'gateway' },
  callerErrors: { name: 'sluice.errors.caller', unit: 'Count', of: 'gateway' },
  policyErrors: { name: 'sluice.errors.policy', unit: 'Count', of: 'gateway' },
  providerErrors: { name: 'sluice.errors.provider', unit: 'Count', of: 'gateway' },
  gatewayErrors: { name: 'sluice.errors.gateway', unit: 'Count', of: 'gateway' },
  /** At the time when the request came, as Lambda counts the error that it takes each of them for. */
  answersCutOff: { name: 'sluice.answers.cut_off', unit: 'Count', of: 'gateway' },

  /** 1 or 0 for each attempt: its sum counts failures, its sample count attempts, and its average is their ratio. */
  attemptFailures: { name: 'sluice.attempt.failures', unit: 'Count', of: 'target' },
  answerSeconds: { name: 'gen_ai.client.operation.duration', unit: 'Seconds', of: 'target' },
  firstChunkSeconds: { name: 'gen_ai.client.operation.time_to_first_chunk', unit: 'Seconds', of: 'target' },
  inputTokens: { name: 'gen_ai.usage.input_tokens', unit: 'Count', of: 'target' },
  outputTokens: { name: 'gen_ai.usage.output_tokens', unit: 'Count', of: 'target' },
  cacheReadInputTokens: { name: 'gen_ai.usage.cache_read.input_tokens', unit: 'Count', of: 'target' },
  cacheCreationInputTokens: { name: 'gen_ai.usage.cache_creation.input_tokens', unit: 'Count', of: 'target' },
  reasoningOutputTokens: { name: 'gen_ai.usage.reasoning.output_tokens', unit: 'Count', of: 'target' },

  breakersOpened: { name: 'sluice.breaker.opened', unit: 'Count', of: 'target' },
  breakersClosed: { name: 'sluice.breaker.closed', unit: 'Count', of: 'target' },
  /** 1 or 0 for each probe, as for attempts. */
  probeFailures: { name: 'sluice.probe.failures', unit: 'Count', of: 'target' },
  probeTokens: { name: 'sluice.probe.tokens', unit: 'Count', of: 'target' },
  /** What the scores say, once for each fold. */
  scoreFirstChunkSeconds: { name: 'sluice.score.time_to_first_chunk', unit: 'Seconds', of: 'target' },
  scoreFailureRatio: { name: 'sluice.score.failure_ratio', unit: 'None', of: 'target' },

  /** How many models have only targets that are down, once for each run of the prober. */
  modelsWithoutTarget: { name: 'sluice.models.without_healthy_target', unit: 'Count', of: 'gateway' },
  foldFailures: { name: 'sluice.fold.failures', unit: 'Count', of: 'gateway' },
  samplesLost: { name: 'sluice.samples.lost', unit: 'Count', of: 'gateway' },
  refreshFailures: { name: 'sluice.refresh.failures', unit: 'Count', of: 'gateway' },
  configPublished: { name: 'sluice.config.published', unit: 'Count', of: 'gateway' },
  configRejected: { name: 'sluice.config.rejected', unit: 'Count', of: 'gateway' },
  eventsLost: { name: 'sluice.events.lost', unit: 'Count', of: 'gateway' },
} as const satisfies Record<string, MetricDefinition>;

/** A metric of a target has its provider and model as dimensions, one of the gateway has none. */
export type MetricDefinition = { name: string; unit: 'Count' | 'Seconds' | 'None'; of: 'gateway' | 'target' };

export type Metric = keyof typeof metricDefinitions;

/** Never a third one: every combination of values is a metric of its own and costs $0.30 a month. */
export const targetDimensions = ['provider', 'model'] as const;

/** The namespace without a stack; a stack has its own name there, so that two in one account keep apart. */
export const defaultMetricNamespace = 'Sluice';
