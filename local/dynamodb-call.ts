/** An error that DynamoDB answered, by its name without the namespace: `ResourceNotFoundException`. */
export class DynamoDbError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** Calls one operation of DynamoDB or of its streams and resolves to the parsed answer. */
export type DynamoDbCall = <Answer>(operation: string, input: Record<string, unknown>) => Promise<Answer>;

const streamOperations = new Set(['ListStreams', 'DescribeStream', 'GetShardIterator', 'GetRecords']);

// Local engines ask for a signature and do not check it. DynamoDB Local keeps one database per access key and region,
// so these are the same that the functions are given.
const authorization =
  'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=local';

/** A caller for one endpoint; the protocol is AWS JSON 1.0. */
export function dynamoDbCaller(endpoint: string): DynamoDbCall {
  return async <Answer>(operation: string, input: Record<string, unknown>): Promise<Answer> => {
    const target = streamOperations.has(operation) ? 'DynamoDBStreams_20120810' : 'DynamoDB_20120810';
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': `${target}.${operation}`,
        'x-amz-date': '20260101T000000Z',
        authorization,
      },
      body: JSON.stringify(input),
    });
    const answer = await response.json();
    if (response.ok) return answer as Answer;
    const { __type = 'UnknownError', message = '' } = answer as { __type?: string; message?: string };
    throw new DynamoDbError(__type.replace(/^.*#/, ''), message);
  };
}
