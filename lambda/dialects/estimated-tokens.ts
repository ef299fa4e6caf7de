/** Western text has about four characters a token, Chinese, Japanese and Korean about one; UTF-8 shows the difference. */
const bytesPerToken = 4;
const bytesPerIdeogram = 3;

/**
 * How many tokens a text may be, where nobody who knows can be asked. Good enough to choose by; never to charge by without
 * saying that it is an estimate.
 */
export function estimatedTokens(text: string): number {
  const wide = text.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]/g)?.length ?? 0;
  const otherBytes = Buffer.byteLength(text) - wide * bytesPerIdeogram;
  return Math.ceil(otherBytes / bytesPerToken) + wide;
}
