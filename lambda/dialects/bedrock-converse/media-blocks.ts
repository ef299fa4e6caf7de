import type { AudioPart, FilePart, ImagePart, MediaSource } from '../chat-request.ts';
import type { JsonObject } from '../json-value.ts';

/** Formats by what a media type or a file's extension ends with. */
const images = formats({ png: 'png', jpeg: 'jpeg', jpg: 'jpeg', gif: 'gif', webp: 'webp' });
const videos = formats({
  ...{ mkv: 'mkv', 'x-matroska': 'mkv', mov: 'mov', quicktime: 'mov', mp4: 'mp4', webm: 'webm', flv: 'flv' },
  ...{ 'x-flv': 'flv', mpeg: 'mpeg', mpg: 'mpg', wmv: 'wmv', 'x-ms-wmv': 'wmv', '3gp': 'three_gp', '3gpp': 'three_gp' },
});
const documents = formats({
  ...{ pdf: 'pdf', csv: 'csv', doc: 'doc', msword: 'doc', docx: 'docx', xls: 'xls', 'vnd.ms-excel': 'xls' },
  ...{
    xlsx: 'xlsx',
    html: 'html',
    htm: 'html',
    txt: 'txt',
    plain: 'txt',
    md: 'md',
    markdown: 'md',
    'x-markdown': 'md',
  },
  'vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
});
/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_AudioBlock.html */
const audios = formats({
  ...{ mp3: 'mp3', opus: 'opus', wav: 'wav', aac: 'aac', flac: 'flac', mp4: 'mp4', ogg: 'ogg', mka: 'mka' },
  ...{ 'x-aac': 'x-aac', m4a: 'm4a', mpeg: 'mpeg', mpga: 'mpga', pcm: 'pcm', pcm16: 'pcm', webm: 'webm' },
  ...{ 'x-wav': 'wav', mkv: 'mkv' },
});

function formats(byName: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(byName));
}

/** An image block, or undefined when Bedrock takes neither such a source nor such a format. */
export function imageBlock({ source }: Pick<ImagePart, 'source'>): JsonObject | undefined {
  return block('image', images, source);
}

/** A document, video, image or audio block by the file's type. `documentName` gives the unique name each needs. */
export function fileBlock(part: FilePart, documentName: (wanted: string) => string): JsonObject | undefined {
  const { source, name } = part;
  const kind = kindOf(source);
  if (kind === 'image') return imageBlock(part);
  if (kind === 'video') return block('video', videos, source);
  if (kind === 'audio') return block('audio', audios, source);
  const format = formatOf(documents, source) ?? documents.get(extensionOf(name ?? ''));
  const encoded = encodeSource(source);
  if (!format || !encoded) return block('video', videos, source) ?? imageBlock(part);
  const stem = (name ?? '').replace(/\.[^.]*$/, '');
  return { document: { format, name: documentName(stem), source: encoded } };
}

/** An audio block, or undefined for a format that Bedrock does not take. */
export function audioBlock({ format, data }: AudioPart): JsonObject | undefined {
  const known = audios.get(format);
  return known ? { audio: { format: known, source: { bytes: data } } } : undefined;
}

function block(kind: string, known: ReadonlyMap<string, string>, source: MediaSource): JsonObject | undefined {
  const format = formatOf(known, source);
  const encoded = encodeSource(source);
  return format && encoded ? { [kind]: { format, source: encoded } } : undefined;
}

/** Bedrock fetches nothing but objects of S3. */
function encodeSource(source: MediaSource): JsonObject | undefined {
  if (source.kind === 'base64') return { bytes: source.data };
  if (source.kind === 'url' && source.url.startsWith('s3://')) return { s3Location: { uri: source.url } };
  return undefined;
}

function kindOf(source: MediaSource): string | undefined {
  return source.kind === 'base64' ? source.mediaType.split('/')[0]?.toLowerCase() : undefined;
}

function formatOf(known: ReadonlyMap<string, string>, source: MediaSource): string | undefined {
  if (source.kind === 'url') return known.get(extensionOf(source.url));
  if (source.kind === 'id') return undefined;
  const subtype = source.mediaType.split(';')[0]?.split('/')[1] ?? '';
  return known.get(subtype.trim().toLowerCase());
}

function extensionOf(path: string): string {
  return /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
}

/**
 * Gives each document of a request its own name, made of the characters that Bedrock allows
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html).
 */
export function documentNames(): (wanted: string) => string {
  const given = new Set<string>();
  return (wanted) => {
    const stem = wanted
      .replace(/[^A-Za-z0-9\s\-()[\]]/g, '-')
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, 190);
    let name = stem || 'document';
    for (let count = 2; given.has(name); count++) name = `${stem || 'document'} ${count}`;
    given.add(name);
    return name;
  };
}
