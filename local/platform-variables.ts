import { devNull } from 'node:os';
import { region } from './physical-names.ts';

/** Where the services are that the functions call. */
export type Endpoints = { dynamodb: string; aws: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that lead a function to the local services, and never to a real account. */
export function platformVariables({ dynamodb, aws }: Endpoints, environment: Environment): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL: aws,
    AWS_ENDPOINT_URL_DYNAMODB: dynamodb,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: aws,
    AWS_ENDPOINT_URL_EVENTBRIDGE: aws,
    // Profiles and credentials of this machine stay out of reach.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...inherited(environment, ['PATH', 'NODE_EXTRA_CA_CERTS', 'SystemRoot']),
  };
}

function inherited(environment: Environment, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
}
