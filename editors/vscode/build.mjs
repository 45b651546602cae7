// Bundles the extension into dist/. --production leaves out tests and maps.
import { readdirSync, rmSync } from 'node:fs';
import * as esbuild from 'esbuild';

const production = process.argv.includes('--production');
const shared = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  logLevel: 'warning',
};

rmSync('dist', { recursive: true, force: true });
await esbuild.build({
  ...shared,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  minify: production,
  sourcemap: !production,
});
if (!production) {
  await esbuild.build({
    ...shared,
    entryPoints: readdirSync('src/test').filter(f => f.endsWith('.test.ts')).map(f => `src/test/${f}`),
    outdir: 'dist/test',
  });
}
