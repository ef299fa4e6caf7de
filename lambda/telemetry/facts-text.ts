/**
 * At three bytes a character and with the metrics behind it, such a line fits into 256 KB, what CloudWatch took of a log event for
 * long; it takes 1 MB by now (https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html).
 */
const longestText = 80_000;
const longestWord = 200;
const mostEntries = 20;

/**
 * The facts of a line as JSON. What would be too long is cut, since CloudWatch splits or drops a longer line, and with it its
 * metrics: then every text and every list in it is short, and `cut` says so.
 */
export function factsText(facts: object): string {
  const text = JSON.stringify(facts);
  return text.length <= longestText ? text : JSON.stringify({ ...facts, cut: true }, shortened);
}

function shortened(_: string, value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, longestWord);
  return Array.isArray(value) ? value.slice(0, mostEntries) : value;
}
