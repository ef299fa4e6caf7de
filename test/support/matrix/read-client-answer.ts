import type { DialectName } from '../../../lambda/dialects/chat-request.ts';
import { object } from '../../recordings/json.ts';
import { readChunks, readCompletion } from '../../recordings/read-chat.ts';
import { readSse } from '../../recordings/read-frames.ts';
import { readGemini } from '../../recordings/read-gemini.ts';
import { readMessage, readMessageEvents } from '../../recordings/read-messages.ts';
import { readResponse, readResponseEvents } from '../../recordings/read-responses.ts';
import type { Reading } from '../../recordings/reading.ts';

type Reader = { whole(body: Record<string, unknown>): Reading; stream(bytes: Buffer): Reading };

/** How callers of each dialect read an answer, written without the gateway's own decoders. */
export const clientReaders: Readonly<Partial<Record<DialectName, Reader>>> = {
  'openai-chat': { whole: readCompletion, stream: (bytes) => readChunks(readSse(bytes)) },
  'openai-responses': { whole: readResponse, stream: (bytes) => readResponseEvents(readSse(bytes)) },
  'anthropic-messages': { whole: readMessage, stream: (bytes) => readMessageEvents(readSse(bytes)) },
  gemini: {
    whole: (body) => readGemini([body]),
    stream: (bytes) => readGemini(readSse(bytes).map(({ data }) => object(data))),
  },
};
