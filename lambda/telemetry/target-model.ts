import type { Snapshot } from '../config/snapshot.ts';
import { isConfiguredTarget } from '../routing/configured-targets.ts';
import { targetName } from '../routing/target-name.ts';
import type { AttemptRecord } from './request-record.ts';

/** What stands for models that nobody vouches for. */
export const otherModel = 'other';

const mostUnconfigured = 100;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html */
const isDimension = /^[!-~][ -~]{0,254}$/;

type AskedTarget = Pick<AttemptRecord, 'provider' | 'model' | 'outcome'>;

/** Says by which `model` the metrics of a target are counted. */
export type TargetModels = (target: AskedTarget, snapshot: Snapshot | undefined) => string;

/**
 * A target's own model where it is configured or has answered, and `other` where it is only a name that a caller made
 * up: each name would be a metric that costs money.
 */
export function targetModels(): TargetModels {
  const answered = new Set<string>();
  return (target, snapshot) => {
    if (!isDimension.test(target.model)) return otherModel;
    const name = targetName(target);
    if (answered.has(name) || (snapshot && isConfiguredTarget(name, snapshot))) return target.model;
    if (target.outcome !== 'answered' || answered.size >= mostUnconfigured) return otherModel;
    answered.add(name);
    return target.model;
  };
}

/** The same of a target whose attempts are not at hand: its own model where it is configured, and `other` elsewhere. */
export function configuredModel(target: Pick<AskedTarget, 'provider' | 'model'>, snapshot: Snapshot): string {
  return isDimension.test(target.model) && isConfiguredTarget(targetName(target), snapshot) ? target.model : otherModel;
}
