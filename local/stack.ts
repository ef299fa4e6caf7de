import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfigFile } from '../lambda/config/config-file.ts';
import { environmentNames } from '../lambda/environment.ts';
import { startDemoVendor } from '../lambda/providers/demo-vendor.ts';
import { findApiKey } from './api-key.ts';
import { type Assembly, readAssembly } from './assembly.ts';
import { startAwsEndpoint } from './aws-endpoint.ts';
import { type ChildProcesses, createChildProcesses } from './child-processes.ts';
import { type Cleanup, createCleanup } from './cleanup.ts';
import { createTable, startDynamoDb, untilItAnswers } from './dynamodb.ts';
import { dynamoDbCaller } from './dynamodb-call.ts';
import { findFreePort } from './listen.ts';
import type { InvocationReport } from './local-function.ts';
import { LocalStackError } from './local-stack-error.ts';
import { secretMasker } from './mask-secrets.ts';
import { region } from './physical-names.ts';
import { platformVariables } from './platform-variables.ts';
import { putInForce } from './put-in-force.ts';
import { runFunctions } from './running-functions.ts';
import { configFromFile, configWithDemo, type Example, exampleOf, type StartConfig } from './start-config.ts';
import { synthesize } from './synthesize.ts';

/** Options of a local stack. */
export type LocalStackOptions = {
  /** Directory of a synthesized cloud assembly; without it the CDK app is bundled and synthesized. */
  assembly?: string | undefined;
  /** Port of the gateway's function URL; 0, the default, for any free one. */
  port?: number;
  dynamodbPort?: number;
  /** A DynamoDB to use instead of the embedded one. */
  dynamodbEndpoint?: string | undefined;
  /** Keeps tables and the caller key; without it everything is gone when the stack closes. */
  dataDirectory?: string | undefined;
  /** Text of a config file, or one that is parsed; without it the demo vendor answers. */
  config?: string | ConfigFile | undefined;
  /** The caller key; without it one is made at random. */
  apiKey?: string | undefined;
  /** Vendors' keys are taken from here. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Hears each log line, with the secrets in it hidden; `source` is a function's short name or a part of the stack. */
  log(source: string, line: string): void;
  onReport?: ((report: InvocationReport) => void) | undefined;
};

/** The stack of a cloud assembly, running on this machine. */
export type LocalStack = {
  /** Without a trailing slash. */
  gatewayUrl: string;
  dynamodbUrl: string;
  configTable: string;
  apiKey: string;
  region: string;
  /** A model that the configuration of this start names, and a target of it. */
  example: Example;
  /** Resolves when everything that was in the tables' streams has reached its function. */
  drain(): Promise<void>;
  /** Does now what the schedules are for. */
  runSchedules(): Promise<void>;
  /** Stops everything; no process is left. */
  close(): Promise<void>;
};

/** Starts the stack and resolves when the gateway serves the configuration; what fails leaves nothing running. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const cleanup = createCleanup();
  try {
    return await start(options, cleanup);
  } catch (error) {
    await cleanup.run();
    throw error;
  }
}

async function start(options: LocalStackOptions, cleanup: Cleanup): Promise<LocalStack> {
  const { dataDirectory } = options;
  const config = await findConfig(options, cleanup);
  // Any free one is found by who listens: what is free now may be taken by then.
  const port = options.port ? await findFreePort(options.port, '--port') : 0;
  if (dataDirectory) makeDirectory(dataDirectory);
  const apiKey = options.apiKey ?? findApiKey(dataDirectory);
  const children = createChildProcesses();
  cleanup.add(children.close);

  const mask = secretMasker([apiKey, ...Object.values(config.secrets).flat()]);
  const log: LocalStackOptions['log'] = (source, line) => options.log(source, mask(line));
  // First what takes little time and fails more often.
  const dynamodbUrl = await prepareDynamoDb(options, children);
  const assembly = await prepareAssembly(options.assembly, cleanup);
  const call = dynamoDbCaller(dynamodbUrl);
  for (const table of assembly.tables) await createTable(call, table);
  const aws = await startAwsEndpoint({
    secrets: secretValues(assembly, { vendorSecret: JSON.stringify(config.secrets), firstKeySecret: apiKey }),
    onEvent: ({ detailType, detail }) => log('events', `${detailType} ${detail}`),
  });
  cleanup.add(aws.close);

  const variables = platformVariables({ dynamodb: dynamodbUrl, aws: aws.url }, options.environment);
  const running = await runFunctions(assembly, { children, variables, call, port, log, onReport: options.onReport });
  cleanup.add(running.close);
  const configTable = running.gateway.definition.variables[environmentNames.configTable] ?? '';
  const keepsEdits = dataDirectory !== undefined || options.dynamodbEndpoint !== undefined;
  await putInForce({ call, configTable, config, running, apiKey, keepsEdits, log });

  const { gatewayUrl, drain, runSchedules } = running;
  return {
    gatewayUrl,
    dynamodbUrl,
    configTable,
    apiKey,
    region,
    example: exampleOf(config),
    drain,
    runSchedules,
    close: cleanup.run,
  };
}

async function findConfig({ config, environment }: LocalStackOptions, cleanup: Cleanup): Promise<StartConfig> {
  if (config !== undefined) return configFromFile(config, environment);
  const demo = await startDemoVendor();
  cleanup.add(demo.close);
  return configWithDemo(demo.url, environment);
}

async function prepareAssembly(given: string | undefined, cleanup: Cleanup): Promise<Assembly> {
  if (given !== undefined) return readAssembly(given);
  const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // A second Ctrl-C ends the process without closing the stack.
  process.once('exit', remove);
  cleanup.add(() => {
    process.off('exit', remove);
    remove();
  });
  return readAssembly(await synthesize(directory));
}

async function prepareDynamoDb(options: LocalStackOptions, children: ChildProcesses): Promise<string> {
  const { dynamodbEndpoint, dynamodbPort: port = 0, dataDirectory } = options;
  if (dynamodbEndpoint === undefined) return startDynamoDb({ children, port, dataDirectory });
  await untilItAnswers(dynamodbEndpoint, 2_000);
  return dynamodbEndpoint;
}

/** The secrets of the template; which is which stands in the variables of the functions that read them. */
function secretValues(assembly: Assembly, values: { vendorSecret: string; firstKeySecret: string }) {
  const nameOf = (variable: string): string | undefined =>
    assembly.functions.map(({ variables }) => variables[variable]).find((name) => name !== undefined);
  const known = [
    { reference: nameOf(environmentNames.vendorSecret), value: values.vendorSecret },
    { reference: nameOf(environmentNames.firstKeySecret), value: values.firstKeySecret },
  ];
  return assembly.secrets.flatMap(({ name, arn }) => {
    const value = known.find(({ reference }) => reference === name || reference === arn)?.value;
    return value === undefined ? [] : [{ name, arn, value }];
  });
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    throw new LocalStackError(`The directory ${directory} cannot be made: ${(error as Error).message}`);
  }
}
