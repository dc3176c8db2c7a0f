import { toJsonSchema } from '@valibot/to-json-schema';
import { ConfigSchema } from '../src/config/schema.ts';

/** The JSON Schema of the configuration file, for editors; printed, so that `npm run schema` can store it. */
const schema = toJsonSchema(ConfigSchema, { typeMode: 'input', errorMode: 'ignore' });
process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
