import type { RecordedCase } from './recorded-case.ts';

/** What a caller of the vendor's own dialect got other than the vendor's bytes. */
export function byteDifferences({ body, file }: RecordedCase, heard: Buffer | undefined): string[] {
  if (heard === undefined) return [];
  const [sent, got] = [body, heard].map((bytes) =>
    file.endsWith('.sse') ? withoutEnd(bytes) : bytes.toString('utf8'),
  );
  return sent === got ? [] : [`bytes: ${sent?.length} became ${got?.length}`];
}

/** The gateway adds the end marker that a dialect has, and leaves out one that it has not; so do blank lines end. */
function withoutEnd(bytes: Buffer): string {
  return bytes
    .toString('utf8')
    .replace(/(?:event: data\r?\n)?data: \[DONE\]\s*$/, '')
    .trimEnd();
}
