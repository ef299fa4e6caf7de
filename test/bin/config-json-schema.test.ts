import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { configJsonSchema } from '../../bin/config-json-schema.ts';
import { itemSchemas } from '../../lambda/config/schema.ts';

const published = JSON.parse(readFileSync(new URL('../../docs/config.schema.json', import.meta.url), 'utf8'));

test('the published JSON schema is up to date (`node bin/run.mjs bin/schema.ts` writes it)', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(configJsonSchema())));
});

test.each(Object.keys(itemSchemas) as (keyof typeof itemSchemas)[])(
  'the JSON schema of a %s refuses unknown fields and has the known ones',
  (kind) => {
    const { additionalProperties, properties, required } = published.$defs[kind];

    expect(additionalProperties).toBe(false);
    expect(Object.keys(properties)).toEqual(['kind', ...Object.keys(itemSchemas[kind].entries)]);
    expect(required).toEqual(expect.arrayContaining(['kind', 'name']));
  },
);
