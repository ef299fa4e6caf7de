import { createServer, type IncomingMessage } from 'node:http';
import { closeServer, listen } from './listen.ts';

/** An event that a function put on a bus. */
export type PutEvent = { source: string; detailType: string; detail: string; bus: string };

/** What the endpoint serves. */
export type AwsEndpointOptions = {
  /** Secret values by name; a function may also ask by the ARN. */
  secrets: { name: string; arn: string; value: string }[];
  onEvent(event: PutEvent): void;
};

/** The AWS services besides DynamoDB that the functions call, on loopback. */
export type AwsEndpoint = { url: string; close(): Promise<void> };

type Answer = { status: number; body: Record<string, unknown> };
type Operation = (input: Record<string, unknown>, options: AwsEndpointOptions) => Answer;

const operations: Record<string, Operation> = {
  'secretsmanager.GetSecretValue': getSecretValue,
  'AWSEvents.PutEvents': putEvents,
};

/** Starts the endpoint; its protocol is AWS JSON 1.1. */
export async function startAwsEndpoint(options: AwsEndpointOptions): Promise<AwsEndpoint> {
  const server = createServer(async (request, response) => {
    const target = String(request.headers['x-amz-target'] ?? '');
    const operation = operations[target];
    const input = JSON.parse((await readText(request)) || '{}');
    const { status, body } = operation?.(input, options) ?? unknownOperation(target);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
  });
  const port = await listen(server, 0);
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => closeServer(server),
  };
}

function getSecretValue({ SecretId }: Record<string, unknown>, { secrets }: AwsEndpointOptions): Answer {
  const secret = secrets.find(({ name, arn }) => SecretId === name || SecretId === arn);
  if (!secret) return failure('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  const { arn: ARN, name: Name, value: SecretString } = secret;
  return { status: 200, body: { ARN, Name, SecretString, VersionId: 'local', VersionStages: ['AWSCURRENT'] } };
}

function putEvents({ Entries }: Record<string, unknown>, { onEvent }: AwsEndpointOptions): Answer {
  const entries = (Entries ?? []) as Record<string, string | undefined>[];
  for (const { Source = '', DetailType = '', Detail = '{}', EventBusName = 'default' } of entries) {
    onEvent({ source: Source, detailType: DetailType, detail: Detail, bus: EventBusName });
  }
  const results = entries.map((_entry, index) => ({ EventId: `local-${index}` }));
  return { status: 200, body: { FailedEntryCount: 0, Entries: results } };
}

/** Anything else fails here, loudly, rather than at an AWS account that happens to be configured on this machine. */
function unknownOperation(target: string): Answer {
  return failure('UnknownOperationException', `The local stack does not serve ${target || 'this request'}`);
}

function failure(type: string, message: string): Answer {
  return { status: 400, body: { __type: type, message } };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
