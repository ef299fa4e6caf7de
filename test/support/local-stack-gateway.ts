import { type LocalStack, startLocalStack } from '../../local/stack.ts';
import { sharedAssembly } from './built-once.ts';
import type { GatewayOptions, RunningGateway } from './serve-process.ts';

/** The local stack as a gateway under test, with the stack itself for what only it has. */
export async function startStackGateway({
  config,
  apiKey,
}: GatewayOptions): Promise<RunningGateway & { stack: LocalStack }> {
  const lines: string[] = [];
  const stack = await startLocalStack({
    assembly: await sharedAssembly(),
    config: JSON.stringify(config),
    apiKey,
    environment: {},
    log: (_, line) => lines.push(line),
  });
  return { stack, url: stack.gatewayUrl, apiKey, logs: () => lines.join('\n'), close: stack.close };
}
