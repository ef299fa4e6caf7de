/**
 * Request headers that browsers may send, here and on the function URL. Listed one by one, since browsers do not let
 * `*` cover `Authorization`: https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name
 */
export const corsRequestHeaders: readonly string[] = [
  'authorization',
  'content-type',
  'x-api-key',
  'x-goog-api-key',
  'openai-organization',
  'openai-project',
  'openai-beta',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  'idempotency-key',
  'x-request-id',
  'x-session-id',
  'x-sluice-idempotency',
  'x-sluice-metadata',
  'x-sluice-on-stream-failure',
  'x-sluice-provider-key',
  'x-sluice-timeout-ms',
  'x-sluice-unsupported-parameters',
  'x-openrouter-metadata',
  ...[
    ...['lang', 'package-version', 'os', 'arch', 'runtime', 'runtime-version', 'retry-count', 'timeout'],
    ...['async', 'helper', 'helper-method', 'poll-helper', 'custom-poll-interval'],
  ].map((name) => `x-stainless-${name}`),
];

export const corsMaxAgeSeconds = 86_400;
