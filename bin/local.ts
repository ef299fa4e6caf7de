import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ConfigFileError } from '../lambda/config/config-text.ts';
import { banner } from '../local/banner.ts';
import { LocalStackError } from '../local/local-stack-error.ts';
import { formatLogLine } from '../local/log-format.ts';
import { type LocalStack, startLocalStack } from '../local/stack.ts';

const usage = `Usage: npm start -- [options]

Synthesizes the CDK app and runs that stack on this machine.

  --config FILE            configuration, YAML or JSON; without it: the demo vendor, and the vendors whose keys are in
                           the environment (OPENAI_API_KEY, ANTHROPIC_API_KEY, …)
  --port N                 port of the gateway, 0 for any free one (8787)
  --dynamodb-port N        port of the embedded DynamoDB, 0 for any free one (8000)
  --dynamodb-endpoint URL  a DynamoDB to use instead of the embedded one
  --data DIR               keep tables and API key there; without it everything is gone at exit
  --json-logs              print the functions' log lines as they are
  --help                   this text

SLUICE_API_KEY             the API key that callers use; without it one is made at random`;

type Options = {
  config: string | undefined;
  port: number;
  dynamodbPort: number;
  dynamodbEndpoint: string | undefined;
  dataDirectory: string | undefined;
  jsonLogs: boolean;
};

function readOptions(): Options | 'help' {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseFlags({
    config: text,
    port: text,
    'dynamodb-port': text,
    'dynamodb-endpoint': text,
    data: text,
    'json-logs': flag,
    help: flag,
  });
  if (values.help) return 'help';
  const endpoint = values['dynamodb-endpoint'];
  if (endpoint !== undefined && !/^https?:$/.test(URL.parse(endpoint)?.protocol ?? '')) {
    throw new LocalStackError(`--dynamodb-endpoint ${endpoint} is not a URL; give one such as http://127.0.0.1:8000.`);
  }
  return {
    config: values.config,
    port: toPort('--port', values.port ?? '8787'),
    dynamodbPort: toPort('--dynamodb-port', values['dynamodb-port'] ?? '8000'),
    dynamodbEndpoint: endpoint?.replace(/\/+$/, ''),
    dataDirectory: values.data,
    jsonLogs: values['json-logs'],
  };
}

function parseFlags<const T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(options: T) {
  try {
    return parseArgs({ options: options as T & {} });
  } catch (error) {
    throw new LocalStackError(`${(error as Error).message.split('. ')[0]}. Try --help.`);
  }
}

function toPort(flag: string, text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new LocalStackError(`${flag} ${text} is not a port; give a number from 0 to 65535.`);
}

function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new LocalStackError(`The config file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** The first signal stops the stack in order, a second one at once. Until there is a stack, the first is enough. */
function stopOnSignals(stack: () => LocalStack | undefined): void {
  const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;
  let isStopping = false;
  for (const [signal, code] of Object.entries(exitCodes)) {
    process.on(signal, () => {
      const running = stack();
      if (isStopping || !running) process.exit(code);
      isStopping = true;
      void running.close().finally(() => process.exit(code));
    });
  }
}

/** Log lines of the start come after the word that it is over, or, when it failed, on standard error. */
function holdUntilReady() {
  const held: string[] = [];
  let print = (line: string): void => void held.push(line);
  return {
    write: (line: string): void => print(line),
    flush(to: (line: string) => void): void {
      print = to;
      for (const line of held.splice(0)) to(line);
    },
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === 'help') return console.log(usage);
  const { config: configFile, jsonLogs, ...stackOptions } = options;
  let stack: LocalStack | undefined;
  stopOnSignals(() => stack);
  const log = holdUntilReady();
  // False where it is no terminal, or NO_COLOR is set.
  const colours = process.stdout.isTTY && process.stdout.hasColors();

  stack = await startLocalStack({
    ...stackOptions,
    config: configFile === undefined ? undefined : readConfigFile(configFile),
    apiKey: process.env['SLUICE_API_KEY'] || undefined,
    environment: process.env,
    log(source, line) {
      const text = jsonLogs ? line : formatLogLine(source, line, new Date(), colours);
      if (text !== undefined) log.write(text);
    },
  }).catch((error: unknown) => {
    log.flush(console.error);
    throw error;
  });
  console.log(banner(stack));
  const { gatewayUrl: gateway, dynamodbUrl: dynamodb, configTable, apiKey } = stack;
  console.log(`ready ${JSON.stringify({ gateway, dynamodb, configTable, apiKey })}`);
  log.flush(console.log);
}

try {
  await main();
} catch (error) {
  if (error instanceof ConfigFileError)
    console.error(['The config file cannot be used:', ...error.problems].join('\n  '));
  else if (error instanceof LocalStackError) console.error(error.message);
  else throw error;
  process.exit(1);
}
