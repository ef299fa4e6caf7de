import type { CatalogueEntry } from '../../lambda/providers/catalogue-entry.ts';
import { vendorSecret } from './core.ts';

/** The header in which a provider must find a plain key. */
export function keyHeader({ auth }: CatalogueEntry): Record<string, string> {
  if (auth.kind === 'header') return { [auth.name]: (auth.prefix ?? '') + vendorSecret };
  if (auth.kind === 'google-service-account') return { 'x-goog-api-key': vendorSecret };
  return { authorization: `Bearer ${vendorSecret}` };
}
