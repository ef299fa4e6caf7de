import type { Assembly } from './assembly.ts';
import type { ChildProcesses } from './child-processes.ts';
import type { DynamoDbCall } from './dynamodb-call.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { type FunctionUrl, startFunctionUrl } from './function-url.ts';
import { type InvocationReport, LocalFunction } from './local-function.ts';
import { startScheduler } from './scheduler.ts';
import { type StreamPoller, startStreamPoller } from './stream-poller.ts';

/** What the functions of an assembly run with. */
export type RunningFunctionsOptions = {
  children: ChildProcesses;
  /** Variables that lead to the local services. */
  variables: Record<string, string>;
  call: DynamoDbCall;
  /** Port of the first function URL, which is the gateway's; others take any free one. */
  port: number;
  log(source: string, line: string): void;
  onReport?: ((report: InvocationReport) => void) | undefined;
};

/** All functions of an assembly with their URLs and event sources. */
export type RunningFunctions = {
  /** The function behind the first function URL, and that URL without a trailing slash. */
  gateway: LocalFunction;
  gatewayUrl: string;
  /** Resolves when everything that was in the streams has reached its function. */
  drain(): Promise<void>;
  /** Does now what the schedules are for. */
  runSchedules(): Promise<void>;
  close(): Promise<void>;
};

/** Wires functions, URLs and event source mappings as the template says. */
export async function runFunctions(assembly: Assembly, options: RunningFunctionsOptions): Promise<RunningFunctions> {
  const functions = new Map(assembly.functions.map((definition) => [definition.name, create(definition, options)]));
  const find = (name: string, user: string): LocalFunction => {
    const target = functions.get(name);
    if (!target) throw new Error(`The template's ${user} names the function ${name}, which it does not hold`);
    return target;
  };
  const [gatewayUrl] = assembly.functionUrls;
  if (!gatewayUrl) throw new Error('The template holds no function URL');

  const urls: FunctionUrl[] = [];
  for (const definition of assembly.functionUrls) {
    const target = find(definition.functionName, definition.logicalId);
    urls.push(await startFunctionUrl(definition, target, definition === gatewayUrl ? options.port : 0));
  }
  const pollers = assembly.eventSourceMappings.map((mapping) =>
    startPoller(mapping, find(mapping.functionName, mapping.logicalId), options),
  );

  const schedulers = assembly.schedules.map((schedule) => {
    const target = find(schedule.functionName, schedule.logicalId);
    const onFailure = (reason: string) => options.log('schedule', `ERROR ${target.definition.name}: ${reason}`);
    return startScheduler({ schedule, target, onFailure });
  });

  return {
    gateway: find(gatewayUrl.functionName, gatewayUrl.logicalId),
    gatewayUrl: urls[0]?.url ?? '',
    drain: async () => void (await Promise.all(pollers.map((poller) => poller.drain()))),
    runSchedules: async () => void (await Promise.all(schedulers.map((scheduler) => scheduler.run()))),
    async close() {
      for (const scheduler of schedulers) scheduler.close();
      await Promise.all(urls.map((url) => url.close()));
      // Together: a poller may be waiting for an invocation, which ends when its function is closed.
      const closing = [...pollers.map((poller) => poller.close()), ...[...functions.values()].map((f) => f.close())];
      await Promise.all(closing);
    },
  };
}

/** `gateway` for the logical id `EndpointGatewayFunctionCEE94CE4`: the last word before what CDK appends. */
export function shortName({ logicalId }: FunctionDefinition): string {
  const ownName = logicalId.replace(/[0-9A-F]{8}$/, '').replace(/(?<=.)Function$/, '');
  return (/[A-Z][a-z0-9]*$/.exec(ownName)?.[0] ?? ownName).toLowerCase();
}

function create(definition: FunctionDefinition, options: RunningFunctionsOptions): LocalFunction {
  const source = shortName(definition);
  return new LocalFunction({
    definition,
    children: options.children,
    platformVariables: options.variables,
    onLog: (_name, line) => options.log(source, line),
    onReport(report) {
      const { error } = report;
      if (error) options.log(source, `ERROR ${error.errorType}: ${error.errorMessage}`);
      options.onReport?.(report);
    },
  });
}

function startPoller(
  mapping: Assembly['eventSourceMappings'][number],
  target: LocalFunction,
  { call, log }: RunningFunctionsOptions,
): StreamPoller {
  const queue = mapping.onFailureArn?.replace(/^.*:/, '');
  return startStreamPoller({
    mapping,
    call,
    target,
    onFailure(recordCount, reason) {
      const where = queue ? `, which on AWS would go to the queue ${queue}` : '';
      log('stream', `ERROR ${recordCount} record(s) for ${target.definition.name}${where}: ${reason}`);
    },
    onError: (error) => log('stream', `ERROR cannot read the stream of ${mapping.sourceArn}: ${String(error)}`),
  });
}
