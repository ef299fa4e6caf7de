import type { AwsCredentials } from './sigv4.ts';

/**
 * The credentials of the function's role, which Lambda puts into the environment and never changes while it runs
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html). Undefined when they are not there.
 */
export function roleCredentials(environment: Readonly<Record<string, string | undefined>>): AwsCredentials | undefined {
  const accessKeyId = environment['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = environment['AWS_SECRET_ACCESS_KEY'];
  const sessionToken = environment['AWS_SESSION_TOKEN'];
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}
