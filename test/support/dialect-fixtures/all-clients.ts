import { clientDialectsByPath, geminiConversation } from '../../../lambda/dialects/client-dialects.ts';
import type { ClientDialect } from '../../../lambda/dialects/dialect.ts';

/** Every dialect that callers speak, found by the paths of the gateway. */
export async function allClientDialects(): Promise<ClientDialect[]> {
  const loads = Object.values(clientDialectsByPath);
  const gemini = geminiConversation('/v1beta/models/m:streamGenerateContent', 'alt=sse');
  if (!gemini) throw new Error("The gateway answers no path of Gemini's callers");
  return await Promise.all([...loads, gemini.client].map((load) => load()));
}
