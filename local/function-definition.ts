import { randomUUID } from 'node:crypto';

/** What a template says about one function, with every name resolved. */
export type FunctionDefinition = {
  logicalId: string;
  name: string;
  arn: string;
  handler: string;
  codeDirectory: string;
  memoryMb: number;
  timeoutMs: number;
  reservedConcurrency: number | undefined;
  logFormat: 'JSON' | 'Text';
  logLevel: string | undefined;
  variables: Record<string, string>;
};

/** The variables that Lambda reserves: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
export function runtimeVariables(definition: FunctionDefinition): Record<string, string> {
  const { name, handler, codeDirectory, memoryMb, logFormat, logLevel } = definition;
  return {
    _HANDLER: handler,
    LAMBDA_TASK_ROOT: codeDirectory,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '1',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: randomUUID(),
    AWS_LAMBDA_LOG_FORMAT: logFormat,
    ...(logLevel ? { AWS_LAMBDA_LOG_LEVEL: logLevel } : {}),
    TZ: ':UTC',
  };
}
