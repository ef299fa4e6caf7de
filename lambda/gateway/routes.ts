import { reservedProviderNames } from '../config/reserved-names.ts';
import { clientDialectsByPath, geminiConversation } from '../dialects/client-dialects.ts';
import type { ClientDialect } from '../dialects/dialect.ts';
import { openAiChatClient } from '../dialects/openai-chat/openai-chat.ts';
import { type EndpointName, endpointNames } from '../dialects/vendor-endpoint.ts';
import { catalogueEntry } from '../providers/catalogue.ts';
import type { Provider } from '../providers/provider.ts';
import type { Conversation } from './endpoints/conversation.ts';
import type { GatewayRequest } from './exchange.ts';
import { GatewayError } from './gateway-error.ts';

export type Route =
  | { name: 'health' }
  | { name: 'models'; listing: ModelListing }
  | { name: 'model'; id: string; listing: ModelListing }
  | ({ name: 'conversation' } & Conversation)
  | { name: 'count-tokens' }
  | { name: 'route' }
  | { name: 'stats' }
  | { name: 'forward'; endpoint: EndpointName }
  | { name: 'pass-through'; provider: string; rest: string };

/** What a request wants. Every path works with and without `/v1`. Throws `unknown_url` and `method_not_allowed`. */
export async function findRoute(
  request: Pick<GatewayRequest, 'method' | 'path' | 'query' | 'headers'>,
): Promise<Route> {
  const { method, path, query } = request;
  const plain = plainPath(path);
  if (plain === '/health') return allow(method, 'GET', path, { name: 'health' });
  const conversation = await conversationOf(plain, query);
  if (conversation) return allow(method, 'POST', path, { name: 'conversation', ...conversation });
  const endpoint = endpointNames.find((name) => plain === `/${name}`);
  if (endpoint) return allow(method, 'POST', path, { name: 'forward', endpoint });
  if (plain === countTokensPath) return allow(method, 'POST', path, { name: 'count-tokens' });
  if (plain === '/route') return allow(method, 'POST', path, { name: 'route' });
  if (plain === '/stats') return allow(method, 'GET', path, { name: 'stats' });
  const models = modelsRoute(request);
  if (models) return allow(method, 'GET', path, models);
  const own = ownPath(path);
  if (own) return { name: 'pass-through', ...own };
  const known = [...Object.keys(clientDialectsByPath), ...endpointNames.map((name) => `/${name}`)].map(
    (one) => `POST /v1${one}`,
  );
  throw new GatewayError(
    'unknown_url',
    `There is no ${path.slice(0, 200)} here. This gateway answers ${known.join(', ')}, GET /v1/models and GET /health.`,
  );
}

/** The dialect in which to tell an error, whatever else is wrong with the request. */
export async function errorDialect(request: Pick<GatewayRequest, 'path' | 'headers'>): Promise<ClientDialect> {
  const { path } = request;
  const conversation = await conversationOf(plainPath(path), 'alt=sse').catch(() => undefined);
  if (conversation) return conversation.client;
  if (plainPath(path) === countTokensPath) return clientOf('anthropic-messages');
  const models = modelsRoute(request);
  if (models) return clientOf(listingDialects[models.listing]);
  const entry = catalogueEntry(ownPath(path)?.provider ?? '');
  return entry ? providerErrorDialect(entry) : openAiChatClient;
}

/** The dialect in which callers of a vendor's own API are told errors: the vendor's first, where callers speak it. */
export async function providerErrorDialect({ paths }: Pick<Provider, 'paths'>): Promise<ClientDialect> {
  const [first] = Object.keys(paths);
  return clientOf(first);
}

async function clientOf(dialect: string | undefined): Promise<ClientDialect> {
  const gemini = dialect === 'gemini' ? geminiConversation('/models/any:generateContent', '')?.client : undefined;
  const client = gemini ?? (dialect === 'anthropic-messages' ? clientDialectsByPath['/messages'] : undefined);
  return (await client?.()) ?? openAiChatClient;
}

const googleHeaders = ['x-goog-api-key', 'x-goog-api-client'];
const countTokensPath = '/messages/count_tokens';

/** In whose manner models are listed. */
export type ModelListing = 'openai' | 'anthropic' | 'gemini';

const listingDialects: Readonly<Record<ModelListing, string>> = {
  openai: 'openai-chat',
  anthropic: 'anthropic-messages',
  gemini: 'gemini',
};

/** Google's SDKs and Anthropic's send headers of their own with every request; Google's older ones ask under `/v1beta`. */
function modelsRoute({ path, headers }: Pick<GatewayRequest, 'path' | 'headers'>) {
  const match = /^(\/v1beta)?\/models(?:\/(.+))?$/.exec(plainPath(path));
  if (!match) return undefined;
  const [, beta, encoded] = match;
  const isGoogle = beta !== undefined || googleHeaders.some((name) => headers[name] !== undefined);
  const isAnthropic = headers['anthropic-version'] !== undefined;
  const listing: ModelListing = isGoogle ? 'gemini' : isAnthropic ? 'anthropic' : 'openai';
  if (encoded === undefined) return { name: 'models' as const, listing };
  const id = decoded(encoded);
  return id === undefined ? undefined : { name: 'model' as const, id, listing };
}

/** `/{provider}/…`; words that no provider can have are paths of the gateway itself. */
function ownPath(path: string): { provider: string; rest: string } | undefined {
  const [, provider = '', rest = ''] = /^\/([a-z0-9][a-z0-9._-]{0,62})(\/.*)$/s.exec(path) ?? [];
  return provider === '' || reservedProviderNames.includes(provider) ? undefined : { provider, rest };
}

function plainPath(path: string): string {
  return path.replace(/^\/v1(?=\/|$)/, '').replace(/\/$/, '');
}

async function conversationOf(plain: string, query: string): Promise<Conversation | undefined> {
  const client = Object.hasOwn(clientDialectsByPath, plain) ? clientDialectsByPath[plain] : undefined;
  const spoken = client ? { client, context: {} } : geminiConversation(decoded(plain) ?? '', query);
  return spoken && { client: await spoken.client(), context: spoken.context };
}

function allow(method: string, allowed: 'GET' | 'POST', path: string, route: Route): Route {
  if (method === allowed || (method === 'HEAD' && allowed === 'GET')) return route;
  throw new GatewayError('method_not_allowed', `${method} is not possible on ${path}; use ${allowed}.`, {
    headers: { allow: allowed },
  });
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
