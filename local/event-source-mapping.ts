/** What a template says about the way from a stream to a function. */
export type EventSourceMapping = {
  logicalId: string;
  functionName: string;
  sourceArn: string;
  startingPosition: 'TRIM_HORIZON' | 'LATEST';
  batchSize: number;
  /** EventBridge patterns; a record goes to the function when one of them matches, or when there is none. */
  patterns: unknown[];
  bisectOnError: boolean;
  /** Infinity when there is no limit. */
  maximumRetries: number;
  maximumRecordAgeMs: number;
  /** The function names the records that failed; without this, what it returns means nothing. */
  reportsItemFailures: boolean;
  /** ARN of the queue that hears of batches given up. */
  onFailureArn: string | undefined;
};
