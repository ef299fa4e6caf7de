import type { Snapshot } from '../../config/snapshot.ts';
import { type ModelListManner, type ModelsAsked, requireModel, usableModels } from '../caller/models.ts';
import { GatewayError } from '../gateway-error.ts';

/** https://platform.claude.com/docs/en/api/models/list */
function listAnthropicModels(asked: ModelsAsked): object {
  const { snapshot, query } = asked;
  const names = usableModels(asked);
  const given = new URLSearchParams(query);
  const limit = pageSize(given.get('limit'), { name: 'limit', usual: 20, most: 1000 });
  const [after, before] = [given.get('after_id'), given.get('before_id')];
  const start = after === null ? 0 : placeOf(names, after, 'after_id') + 1;
  const end = before === null ? names.length : placeOf(names, before, 'before_id');
  // Backwards, the page is the last one before the cursor.
  const page = before === null ? names.slice(start, start + limit) : names.slice(Math.max(start, end - limit), end);
  const hasMore = before === null ? start + limit < names.length : end - limit > start;
  return {
    data: page.map((name) => anthropicModel(snapshot, name)),
    has_more: hasMore,
    first_id: page[0] ?? null,
    last_id: page.at(-1) ?? null,
  };
}

function anthropicModel({ compiledAt }: Snapshot, name: string): object {
  return { type: 'model', id: name, display_name: name, created_at: compiledAt };
}

function placeOf(names: readonly string[], id: string, param: string): number {
  const place = names.indexOf(id);
  if (place >= 0) return place;
  throw new GatewayError('invalid_request', `"${param}" names no model of this list.`, { param });
}

type PageSize = { name: string; usual: number; most: number };

function pageSize(text: string | null, { name, usual, most }: PageSize): number {
  if (text === null || text === '') return usual;
  const size = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (size >= 1 && size <= most) return size;
  throw new GatewayError('invalid_request', `"${name}" must be a number from 1 to ${most}.`, { param: name });
}

/** https://ai.google.dev/api/models */
function listGeminiModels(asked: ModelsAsked): object {
  const names = usableModels(asked);
  const given = new URLSearchParams(asked.query);
  const size = pageSize(given.get('pageSize'), { name: 'pageSize', usual: 50, most: 1000 });
  const token = given.get('pageToken');
  const start = token ? placeOf(names, decodeToken(token), 'pageToken') : 0;
  const next = names[start + size];
  return {
    models: names.slice(start, start + size).map(geminiModel),
    ...(next === undefined ? {} : { nextPageToken: Buffer.from(next).toString('base64url') }),
  };
}

function decodeToken(token: string): string {
  return Buffer.from(token, 'base64url').toString('utf8');
}

function geminiModel(name: string): object {
  return {
    name: `models/${name}`,
    version: '',
    displayName: name,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent'],
  };
}

/** The manners of other SDKs than OpenAI's, whose lists come in pages. */
export const modelLists: Readonly<Record<'anthropic' | 'gemini', ModelListManner>> = {
  anthropic: {
    list: listAnthropicModels,
    describe({ snapshot, caller }, name) {
      requireModel(snapshot, name, caller);
      return anthropicModel(snapshot, name);
    },
  },
  gemini: {
    list: listGeminiModels,
    describe({ snapshot, caller }, name) {
      requireModel(snapshot, name, caller);
      return geminiModel(name);
    },
  },
};
