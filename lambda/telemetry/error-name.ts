/** What is told of something that was thrown: its type. Its message may hold what must not be told. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
