import { RequestProblem } from './request-problem.ts';

/** One part of a form: its name, and where its value stands, `body.subarray(start, end)`. */
export type FormPart = { name: string; isFile: boolean; start: number; end: number };

/** A `multipart/form-data` body with its parts, as they came. */
export type Form = { body: Buffer; boundary: string; parts: readonly FormPart[] };

const lineEnd = Buffer.from('\r\n');
const headEnd = Buffer.from('\r\n\r\n');
const mostParts = 1000;
const unreadable = 'The form cannot be read';

/** Whether a content type says that the body is a form. */
export function isFormType(contentType: string | undefined): contentType is string {
  return /^\s*multipart\/form-data\s*(;|$)/i.test(contentType ?? '');
}

/**
 * Finds the parts of a form (https://www.rfc-editor.org/rfc/rfc7578), so that single values can be replaced and every other
 * byte stays what it was. Throws `RequestProblem` for what parsers might read in different ways.
 */
export function readForm(body: Buffer, contentType: string): Form {
  const boundary = boundaryOf(contentType);
  const delimiter = Buffer.from(`--${boundary}`);
  refuseLooseDelimiters(body, delimiter);
  const parts: FormPart[] = [];
  let at = firstDelimiter(body, delimiter);
  for (;;) {
    const afterDelimiter = at + delimiter.length;
    if (isAt(body, afterDelimiter, '--')) return { body, boundary, parts };
    const headStart = endOfDelimiterLine(body, afterDelimiter);
    const headStop = body.indexOf(headEnd, headStart - lineEnd.length);
    const next = body.indexOf(Buffer.concat([lineEnd, delimiter]), headStart - lineEnd.length);
    if (headStop < 0 || next < 0 || headStop > next) throw new RequestProblem(`${unreadable}: a part is not whole.`);
    const start = headStop + headEnd.length;
    // An empty value shares its line end with the delimiter behind it.
    const head = body.toString('utf8', headStart, headStop);
    parts.push({ ...nameOf(head), start, end: Math.max(start, next) });
    if (parts.length > mostParts) throw new RequestProblem(`${unreadable}: it has more than ${mostParts} parts.`);
    at = (start > next ? start - lineEnd.length : next) + lineEnd.length;
  }
}

/** The text of the field of that name, of the last one where there are several; undefined when there is none. */
export function formField({ body, parts }: Form, name: string): string | undefined {
  const part = parts.findLast((one) => one.name === name);
  return part && body.toString('utf8', part.start, part.end);
}

/** The form with another value in every field of that name, or with such a field in front when it has none. */
export function withFormField({ body, boundary, parts }: Form, name: string, value: string): Buffer {
  const pieces: Buffer[] = [];
  let kept = 0;
  for (const part of parts) {
    if (part.name !== name) continue;
    pieces.push(body.subarray(kept, part.start), Buffer.from(value));
    kept = part.end;
  }
  if (pieces.length > 0) return Buffer.concat([...pieces, body.subarray(kept)]);
  const field = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  const first = firstDelimiter(body, Buffer.from(`--${boundary}`));
  return Buffer.concat([body.subarray(0, first), Buffer.from(field), body.subarray(first)]);
}

/** https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1 */
function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"([^"\\]{1,70})"|([^\s;",]{1,70}))\s*(?:;|$)/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) throw new RequestProblem(`${unreadable}: its content type names no boundary.`);
  return boundary;
}

function firstDelimiter(body: Buffer, delimiter: Buffer): number {
  if (body.subarray(0, delimiter.length).equals(delimiter)) return 0;
  const at = body.indexOf(Buffer.concat([lineEnd, delimiter]));
  if (at < 0) throw new RequestProblem(`${unreadable}: its boundary does not occur in it.`);
  return at + lineEnd.length;
}

/** Some parsers take lines that end otherwise than with CRLF, and would see parts where others see a value. */
function refuseLooseDelimiters(body: Buffer, delimiter: Buffer): void {
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    const before = body.toString('latin1', Math.max(0, at - 2), at);
    if (before !== lineEnd.toString() && /[\r\n]$/.test(before))
      throw new RequestProblem(`${unreadable}: its lines must end with CR LF.`);
  }
}

/** Blanks may stand between a delimiter and the end of its line. */
function endOfDelimiterLine(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x09) at++;
  if (!isAt(body, at, '\r\n')) throw new RequestProblem(`${unreadable}: something stands behind a boundary.`);
  return at + lineEnd.length;
}

function isAt(body: Buffer, at: number, text: string): boolean {
  return body.toString('latin1', at, at + text.length) === text;
}

function nameOf(head: string): Pick<FormPart, 'name' | 'isFile'> {
  const dispositions = head.split('\r\n').filter((line) => /^content-disposition\s*:/i.test(line));
  const [disposition = ''] = dispositions;
  const parameters = /^content-disposition\s*:\s*form-data\s*((?:;.*)?)$/i.exec(disposition)?.[1];
  // Folded lines and encoded names are read by some parsers and not by others.
  if (dispositions.length !== 1 || parameters === undefined || /^[ \t]/m.test(head) || /;\s*name\*/i.test(parameters))
    throw new RequestProblem(`${unreadable}: a part has no plain name.`);
  const found = new Map<string, string>();
  const pattern = /;\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))\s*/gy;
  let read = 0;
  for (const [whole, key = '', quoted, plain] of parameters.matchAll(pattern)) {
    if (found.has(key.toLowerCase())) throw new RequestProblem(`${unreadable}: a part has two names.`);
    found.set(key.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '');
    read += whole.length;
  }
  const name = found.get('name');
  if (name === undefined || read !== parameters.length)
    throw new RequestProblem(`${unreadable}: a part has no plain name.`);
  return { name, isFile: found.has('filename') || found.has('filename*') };
}
