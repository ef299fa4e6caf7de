import { writeFileSync } from 'node:fs';
import { configJsonSchema } from './config-json-schema.ts';

const file = new URL('../docs/config.schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
