import { copyFile } from 'node:fs/promises';
import { build } from 'esbuild';

/** The demo page that a development relay serves: its script, with a source map, and its style, made small; the rest as it is. */
const FOLDER = 'dist/demo';

await build({
  entryPoints: ['src/demo/main.ts', 'src/demo/style.css'],
  bundle: true,
  minify: true,
  format: 'esm',
  target: ['es2022', 'chrome120', 'firefox121', 'safari17'],
  sourcemap: 'linked',
  outdir: FOLDER,
});
for (const file of ['index.html', 'icon.svg']) await copyFile(`src/demo/${file}`, `${FOLDER}/${file}`);
