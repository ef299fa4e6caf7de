import type { Snapshot } from '../../config/snapshot.ts';
import { type StreamFailurePolicy, streamFailurePolicies } from '../../config/stream-failure.ts';
import type { Plan } from '../../routing/plan.ts';
import type { GatewayRequest } from '../exchange.ts';
import { GatewayError } from '../gateway-error.ts';

const header = 'x-sluice-on-stream-failure';

/** What becomes of this request's stream if it breaks off: as the caller says, else the model, else the settings. */
export function streamFailurePolicy(
  { headers }: Pick<GatewayRequest, 'headers'>,
  { onStreamFailure }: Pick<Plan, 'onStreamFailure'>,
  { settings }: Snapshot,
): StreamFailurePolicy {
  const asked = headers[header]?.trim().toLowerCase();
  if (asked === undefined) return onStreamFailure ?? settings.onStreamFailure ?? 'error';
  const policy = streamFailurePolicies.find((one) => one === asked);
  if (policy) return policy;
  throw new GatewayError('invalid_request', `The header ${header} must be ${streamFailurePolicies.join(' or ')}.`, {
    param: header,
  });
}
