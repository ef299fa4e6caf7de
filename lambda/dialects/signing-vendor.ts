import type { ChatEvent } from './chat-event.ts';
import type { VendorDialect } from './dialect.ts';
import { markSecrets } from './signed-by.ts';

/** The dialect of a vendor whose answers go to callers of another one: their secrets carry the maker's name. */
export function signingVendor(vendor: VendorDialect, maker: string): VendorDialect {
  const marked = (event: ChatEvent) => markSecrets(event, maker);
  return {
    ...vendor,
    decodeResponse: (body) => vendor.decodeResponse(body).map(marked),
    async *decodeStream(bytes) {
      for await (const event of vendor.decodeStream(bytes)) yield marked(event);
    },
  };
}
