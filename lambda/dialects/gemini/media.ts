import type { AudioPart, FilePart, ImagePart, MediaSource } from '../chat-request.ts';
import { isObject, type JsonObject, stringOrUndefined } from '../json-value.ts';

type MediaPart = ImagePart | AudioPart | FilePart;

const audioTypes: Readonly<Record<string, string>> = { mp3: 'audio/mp3', wav: 'audio/wav', pcm16: 'audio/pcm' };

const audioFormats: Readonly<Record<string, string>> = { mpeg: 'mp3', 'x-wav': 'wav', wave: 'wav', 'vnd.wave': 'wav' };

const typesByEnding: Readonly<Record<string, string>> = {
  ...{ png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', webp: 'image/webp', gif: 'image/gif' },
  ...{ heic: 'image/heic', heif: 'image/heif', pdf: 'application/pdf', txt: 'text/plain', mp4: 'video/mp4' },
  ...{ mp3: 'audio/mp3', wav: 'audio/wav', csv: 'text/csv', html: 'text/html', md: 'text/markdown' },
};

/** The media in an `inlineData` or `fileData` part; undefined when there is none. */
export function decodeMedia(part: JsonObject): MediaPart | undefined {
  const { inlineData, fileData } = part;
  if (isObject(inlineData) && typeof inlineData['data'] === 'string') {
    return decodeBytes(stringOrUndefined(inlineData['mimeType']) ?? 'application/octet-stream', inlineData['data']);
  }
  const url = isObject(fileData) ? stringOrUndefined(fileData['fileUri']) : undefined;
  if (!isObject(fileData) || url === undefined) return undefined;
  const mediaType = stringOrUndefined(fileData['mimeType']) ?? mediaTypeOf(url);
  return { type: mediaType?.startsWith('image/') ? 'image' : 'file', source: { kind: 'url', url } };
}

function decodeBytes(mediaType: string, data: string): MediaPart {
  const [kind, subtype = ''] = mediaType.split(';')[0]?.split('/') ?? [];
  if (kind === 'audio') return { type: 'audio', format: audioFormats[subtype] ?? subtype, data };
  return { type: kind === 'image' ? 'image' : 'file', source: { kind: 'base64', mediaType, data } };
}

/** The part for some media; undefined for a file that only its own vendor can find. */
export function encodeMedia(part: MediaPart): JsonObject | undefined {
  if (part.type === 'audio') {
    return { inlineData: { mimeType: audioTypes[part.format] ?? `audio/${part.format}`, data: part.data } };
  }
  const { source } = part;
  if (source.kind === 'base64') return { inlineData: { mimeType: source.mediaType, data: source.data } };
  const uri = uriOf(source);
  if (uri === undefined) return undefined;
  const mimeType = mediaTypeOf(uri);
  return { fileData: { ...(mimeType ? { mimeType } : {}), fileUri: uri } };
}

/** An id is a file of Google's own only when it is written as a URI. */
function uriOf(source: Exclude<MediaSource, { kind: 'base64' }>): string | undefined {
  if (source.kind === 'url') return source.url;
  return /^(https|gs):\/\//.test(source.id) ? source.id : undefined;
}

/** The type that the ending of a URL tells; Vertex AI refuses a URL without a type. */
export function mediaTypeOf(url: string): string | undefined {
  const ending = /\.([a-z0-9]+)(?:[?#]|$)/i.exec(url)?.[1]?.toLowerCase();
  return ending && Object.hasOwn(typesByEnding, ending) ? typesByEnding[ending] : undefined;
}
