import type { DialectName } from '../../lambda/dialects/chat-request.ts';
import type { Json } from './json.ts';
import type { Failure, Reading } from './reading.ts';

/** What a caller is to ask for. */
export type Ask = {
  url: string;
  model: string;
  stream: boolean;
  /** The names of the tools that are offered. */
  tools: readonly string[];
  choices: number;
  /** The recorded request, where it was made in the caller's own dialect. */
  body: Json | undefined;
  /** Whether the vendor's own bytes are read, fields included that the SDK's helpers do not know. */
  unchanged: boolean;
  /** Takes the bytes of the gateway's answer, where the SDK lets one listen. */
  hear(bytes: Promise<Buffer>): void;
};

/** Asks the gateway with the official SDK of a dialect. */
export type Caller = { dialect: DialectName; call(ask: Ask): Promise<Reading> };

/** What SDKs take as their `fetch`: the real one, with someone listening. */
export function listening({ hear }: Ask): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const copy = response.clone();
    hear(
      copy.arrayBuffer().then(
        (bytes) => Buffer.from(bytes),
        () => Buffer.alloc(0),
      ),
    );
    return response;
  };
}

export const prompt = 'Hello';
export const toolSchema = { type: 'object' as const, properties: {} };

/** Any exception of an SDK as what it tells its user; `own` is the class that it must be of. */
export function thrown(error: unknown, own: abstract new (...args: never[]) => Error, message: string): Failure {
  const { status } = error as { status?: unknown };
  return { status: typeof status === 'number' ? status : undefined, message, ownException: error instanceof own };
}
