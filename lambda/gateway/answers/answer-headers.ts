import type { RequestRecord } from '../../telemetry/request-record.ts';
import { serverTiming, type Timings } from '../timings.ts';

/** What an answer says of itself, an error too, as far as it is known by then; of a failure, whose it is. */
export function answerHeaders(record: RequestRecord, timings: Timings): Record<string, string> {
  const { requestId, provider, targetModel, attempts, configVersion } = record;
  const timing = serverTiming(timings);
  return {
    'x-request-id': requestId,
    ...(provider === undefined ? {} : { 'x-sluice-provider': provider }),
    ...(targetModel === undefined ? {} : { 'x-sluice-model': headerText(targetModel) }),
    'x-sluice-attempts': String(attempts.length),
    ...(configVersion === undefined ? {} : { 'x-sluice-config-version': String(configVersion) }),
    ...(timing === '' ? {} : { 'server-timing': timing }),
  };
}

/** A name from anywhere, in characters that a header may have. */
export function headerText(name: string): string {
  return encodeURI(name.toWellFormed());
}
