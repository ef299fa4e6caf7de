import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formField, isFormType, readForm, withFormField } from '../../lambda/dialects/multipart.ts';
import { RequestProblem } from '../../lambda/dialects/request-problem.ts';

const boundary = 'b0undary';
const contentType = `multipart/form-data; boundary=${boundary}`;

type Part = { name: string; filename?: string; value: Buffer };

function written(parts: readonly Part[], preamble = ''): Buffer {
  const pieces = parts.flatMap(({ name, filename, value }) => {
    const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: audio/wav`;
    return [
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`),
      value,
      Buffer.from('\r\n'),
    ];
  });
  return Buffer.concat([Buffer.from(preamble), ...pieces, Buffer.from(`--${boundary}--\r\n`)]);
}

const value = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const parts = fc.array(
  fc.record(
    { name: fc.constantFrom('model', 'file', 'prompt', 'stream'), filename: fc.constant('a.wav'), value },
    { requiredKeys: ['name', 'value'] },
  ),
  { maxLength: 6 },
) as fc.Arbitrary<Part[]>;

describe('a form', () => {
  test('has its parts found, whatever bytes they are made of', () => {
    fc.assert(
      fc.property(parts, fc.constantFrom('', 'a preamble\r\n'), (list, preamble) => {
        const body = written(list, preamble);

        const form = readForm(body, contentType);

        expect(form.parts.map(({ name }) => name)).toEqual(list.map(({ name }) => name));
        for (const [index, part] of form.parts.entries()) {
          expect(body.subarray(part.start, part.end).equals(list[index]?.value ?? Buffer.of(0))).toBe(true);
        }
      }),
    );
  });

  test('keeps every byte but those of the replaced field', () => {
    fc.assert(
      fc.property(parts, (list) => {
        const changed = withFormField(readForm(written(list), contentType), 'model', 'whisper-1');

        const expected = list.map((part) =>
          part.name === 'model' ? { ...part, value: Buffer.from('whisper-1') } : part,
        );
        const model = { name: 'model', value: Buffer.from('whisper-1') };
        const whole = expected.some(({ name }) => name === 'model') ? expected : [model, ...expected];
        expect(changed.equals(written(whole))).toBe(true);
      }),
    );
  });

  test('never makes the reader crash', () => {
    const line = fc.constantFrom(
      '\r\n',
      `--${boundary}`,
      '--',
      'Content-Disposition: form-data; name="model"',
      'x',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        try {
          const form = readForm(Buffer.from(lines.join('')), contentType);
          expect(formField(readForm(withFormField(form, 'model', 'm'), contentType), 'model')).toBe('m');
        } catch (error) {
          expect(error).toBeInstanceOf(RequestProblem);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('takes the last of several fields of a name', () => {
    const body = written([
      { name: 'model', value: Buffer.from('a') },
      { name: 'model', value: Buffer.from('b') },
    ]);

    expect(formField(readForm(body, contentType), 'model')).toBe('b');
  });

  test.each([
    ['a quoted boundary', 'multipart/form-data; boundary="b0undary"'],
    ['capitals and further parameters', 'Multipart/Form-Data; charset=utf-8; Boundary=b0undary; x=y'],
  ])('is recognised with %s', (_, type) => {
    expect(isFormType(type)).toBe(true);
    expect(readForm(written([]), type).parts).toEqual([]);
  });

  const part = (head: string) => Buffer.from(`--${boundary}\r\n${head}\r\n\r\nvalue\r\n--${boundary}--\r\n`);
  test.each([
    ['no boundary in its type', 'multipart/form-data', written([])],
    ['another boundary inside', 'multipart/form-data; boundary=other', written([])],
    ['a part without a name', contentType, part('Content-Disposition: form-data')],
    ['a part without a disposition', contentType, part('Content-Type: text/plain')],
    ['a part with two names', contentType, part('Content-Disposition: form-data; name="a"; name="model"')],
    ['a part with an encoded name', contentType, part("Content-Disposition: form-data; name*=utf-8''model")],
    ['a part with a folded header', contentType, part('Content-Disposition: form-data;\r\n name="model"')],
    [
      'a part with two dispositions',
      contentType,
      part('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"'),
    ],
    [
      'a boundary behind a line end that only some parsers take for one',
      contentType,
      written([
        {
          name: 'file',
          value: Buffer.from(`x\n--${boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\nm`),
        },
      ]),
    ],
    ['an end in the middle', contentType, written([{ name: 'file', value: Buffer.from('x') }]).subarray(0, 70)],
  ])('is refused with %s', (_, type, body) => {
    expect(() => readForm(body, type)).toThrow(RequestProblem);
  });

  test('knows a name that is written with escapes', () => {
    const form = readForm(part('Content-Disposition: form-data; name="mo\\del"'), contentType);

    expect(withFormField(form, 'model', 'm').toString()).toContain('\r\n\r\nm\r\n');
  });
});
