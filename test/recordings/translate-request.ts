import type { ChatRequest, DialectName } from '../../lambda/dialects/chat-request.ts';
import { clientDialectsByPath, geminiConversation } from '../../lambda/dialects/client-dialects.ts';
import type { ClientDialect } from '../../lambda/dialects/dialect.ts';
import { dialectFixtures } from '../support/dialect-fixtures/fixtures.ts';
import { requestDifferences } from './compare-requests.ts';
import { type Json, object } from './json.ts';
import { readChatRequest, readResponsesRequest } from './read-openai-requests.ts';
import {
  readCohereRequest,
  readConverseRequest,
  readGeminiRequest,
  readMessagesRequest,
  readReplicateRequest,
} from './read-other-requests.ts';
import type { RecordedCase } from './recorded-case.ts';
import type { RequestReading } from './request-reading.ts';

const readers: Readonly<Partial<Record<DialectName, (body: Json) => RequestReading>>> = {
  'openai-chat': readChatRequest,
  'openai-responses': readResponsesRequest,
  'anthropic-messages': readMessagesRequest,
  gemini: readGeminiRequest,
  'bedrock-converse': readConverseRequest,
  'cohere-chat': readCohereRequest,
  replicate: readReplicateRequest,
};

const clients: Readonly<Partial<Record<DialectName, ClientDialect>>> = Object.fromEntries(
  await Promise.all(
    [
      ...Object.values(clientDialectsByPath),
      geminiConversation('/v1beta/models/m:streamGenerateContent', 'alt=sse')?.client,
    ].flatMap((load) => (load ? [Promise.resolve(load()).then((client) => [client.name, client] as const)] : [])),
  ),
);

/** What a body asks for. */
export function readRequest(dialect: DialectName, body: Json): RequestReading {
  const read = readers[dialect];
  if (!read) throw new Error(`Nothing reads requests of ${dialect}`);
  return read(body);
}

/** What the recorded request loses on its way to a vendor of each other dialect. */
export function lostInTranslation({ request, model, stream }: RecordedCase, dialect: DialectName): string[] {
  const client = clients[dialect];
  const read = readers[dialect];
  const body = object(request['body']);
  if (!client || !read) return [];
  const asked = read(body);
  let decoded: ChatRequest;
  try {
    decoded = client.decodeRequest(body, client.modelInPath ? { model, stream } : {});
  } catch (error) {
    return [`the request is refused: ${(error as Error).message}`];
  }
  return dialectFixtures
    .filter(({ dialect: vendor }) => vendor.name !== dialect)
    .flatMap(({ dialect: vendor, target }) => {
      const { body: written, unsupported } = vendor.encodeRequest(decoded, target);
      const sent = readers[vendor.name]?.(JSON.parse(JSON.stringify(written)) as Json);
      if (!sent) return [`nothing reads requests of ${vendor.name}`];
      const found = requestDifferences(asked, sent, { unsupported, vendor: vendor.name });
      return found.map((one) => `request to ${vendor.name}: ${one}`);
    });
}
