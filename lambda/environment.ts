/** Environment variables that the stack sets and the functions read. Only the entries read `process.env`. */
export const environmentNames = {
  /** Name of the config table. */
  configTable: 'CONFIG_TABLE',
  /** Name of the stats table. */
  statsTable: 'STATS_TABLE',
  /** Name or ARN of the secret that holds the vendors' keys: a JSON object, provider name → key or keys. */
  vendorSecret: 'VENDOR_SECRET',
  /** Name or ARN of the secret that holds the first caller key, as plain text. */
  firstKeySecret: 'FIRST_KEY_SECRET',
  /** Namespace of the metrics in CloudWatch; without it a default one. */
  metricNamespace: 'METRIC_NAMESPACE',
  /** Name of the EventBridge bus that hears `ConfigPublished` and `ConfigRejected`. */
  eventBus: 'EVENT_BUS',
} as const;

/** Reads a variable that the function cannot run without; throws naming it when it is missing. */
export function requiredVariable(environment: Record<string, string | undefined>, name: string): string {
  const value = environment[name];
  if (!value) throw new Error(`The environment variable ${name} is not set`);
  return value;
}
