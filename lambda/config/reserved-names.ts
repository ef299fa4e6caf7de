/** Provider names are path segments and halves of `provider/model`; these words are paths of the gateway itself. */
export const reservedProviderNames: readonly string[] = [
  ...['v1', 'v1beta', 'v2', 'health', 'ping', 'status', 'chat', 'completions', 'models', 'responses', 'messages'],
  ...['embeddings', 'images', 'audio', 'moderations', 'rerank', 'route', 'stats', 'admin', 'streams', 'console'],
];
