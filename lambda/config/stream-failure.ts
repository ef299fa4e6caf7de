/** What becomes of a stream that breaks after it has begun: an error event, or another target that goes on from there. */
export const streamFailurePolicies = ['error', 'resume'] as const;
export type StreamFailurePolicy = (typeof streamFailurePolicies)[number];
