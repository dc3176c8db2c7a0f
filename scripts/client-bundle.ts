import { mkdir, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** The whole SDK in one file for browsers, with its source map; fails over the budget. */
const BUDGET_BYTES = 22 * 1024;
const outfile = 'dist/client/mayfly.min.js';

const { outputFiles } = await build({
  entryPoints: ['src/client/index.ts'],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  sourcemap: 'linked',
  outfile,
  write: false,
});
await mkdir('dist/client', { recursive: true });
for (const file of outputFiles) await writeFile(file.path, file.contents);
const script = outputFiles.find(({ path }) => path.endsWith('.js'))?.contents ?? new Uint8Array();
const size = gzipSync(script, { level: 9 }).length;
if (size > BUDGET_BYTES) {
  console.error(`${outfile} is ${size} bytes gzipped, over its budget of ${BUDGET_BYTES}`);
  process.exitCode = 1;
}
