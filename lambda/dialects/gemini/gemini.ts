import type { CallerError, ClientDialect, VendorDialect } from '../dialect.ts';
import { answerReader } from './decode-answer.ts';
import { decodeGeminiRequest } from './decode-request.ts';
import { decodeGeminiStream } from './decode-stream.ts';
import { encodeGeminiAnswer } from './encode-answer.ts';
import { encodeGeminiRequest } from './encode-request.ts';
import { encodeGeminiArray, encodeGeminiStream } from './encode-stream.ts';
import { decodeGeminiError, encodeGeminiError } from './errors.ts';

/** Callers of `generateContent`, and of `streamGenerateContent` with `alt=sse`; model and streaming are in the path. */
export const geminiClient: ClientDialect = {
  name: 'gemini',
  modelInPath: true,
  decodeRequest: decodeGeminiRequest,
  encodeResponse: encodeGeminiAnswer,
  encodeStream: encodeGeminiStream,
  streamContentType: 'text/event-stream',
  encodeError: encodeGeminiError,
  encodeStreamError: (error: CallerError) => `data: ${JSON.stringify(encodeGeminiError(error))}\r\n\r\n`,
  endsStream: (event) => /"(finishReason|promptFeedback|error)"\s*:/.test(event),
};

/** Callers of `streamGenerateContent` without `alt=sse`: the stream is one JSON array. */
export const geminiArrayClient: ClientDialect = {
  ...geminiClient,
  // A piece of an array is no event: there is no place in it that every reader would pass over.
  endsStream: () => false,
  ownFrame: true,
  encodeStream: encodeGeminiArray,
  streamContentType: 'application/json',
  encodeStreamError: (error: CallerError) => `,\r\n${JSON.stringify(encodeGeminiError(error))}]`,
};

/** Google AI Studio and Vertex AI; streams are asked for with `alt=sse`. */
export const geminiVendor: VendorDialect = {
  name: 'gemini',
  makerOf: () => 'gemini',
  encodeRequest: encodeGeminiRequest,
  decodeResponse(body) {
    const isAnswer = ['candidates', 'promptFeedback', 'usageMetadata', 'error'].some((field) => body[field] != null);
    if (!isAnswer) throw new Error('The answer has neither candidates nor feedback on the prompt nor an error.');
    const answer = answerReader();
    const events = answer.read(body);
    return events.some((event) => event.type === 'error') ? events : [...events, ...answer.end()];
  },
  decodeStream: decodeGeminiStream,
  decodeError: (_status, _headers, text) => decodeGeminiError(text),
};
