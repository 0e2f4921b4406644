// Puts the npm package together:  node scripts/pack.mjs RAW-FOLDER PACKAGE-FOLDER
//
// RAW-FOLDER holds what the generator made of each entry point. The package is built beside its place and moved there at
// the end, so that who serves it never sees half of it.

import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(here);
const [raw, place] = process.argv.slice(2).map((path) => resolve(path));
const made = `${place}.new`;

rmSync(made, {recursive: true, force: true});
mkdirSync(join(made, 'glue'), {recursive: true});

for (const entry of ['lane', 'full', 'mesh']) {
  cpSync(join(raw, `${entry}.js`), join(made, 'glue', `${entry}.js`));
  const input = join(raw, `${entry}_bg.wasm`);
  // Half a minute, so what is known is kept.
  const hash = createHash('sha256').update(readFileSync(input)).update(readFileSync(fileURLToPath(import.meta.url))).digest('hex');
  const optimised = join(raw, `${entry}.${hash}.wasm`);
  if (!existsSync(optimised)) {
    for (const name of readdirSync(raw)) if (name.startsWith(`${entry}.`) && name.endsWith('.wasm')) rmSync(join(raw, name));
    optimise(input, optimised);
  }
  cpSync(optimised, join(made, 'glue', `${entry}_bg.wasm`));
}

function optimise(input, output) {
  // The features that Rust's target has switched on; the rest of them no browser needs to know.
  execFileSync(
    join(here, 'node_modules/.bin/wasm-opt'),
    [
      '-Oz',
      '--strip-debug',
      '--strip-producers',
      '--enable-bulk-memory',
      '--enable-nontrapping-float-to-int',
      '--enable-sign-ext',
      '--enable-mutable-globals',
      '--enable-reference-types',
      '--enable-multivalue',
      input,
      '-o',
      output,
    ],
    {stdio: 'inherit'},
  );
}

const copy = (from, to) => cpSync(join(root, from), join(made, to));
for (const folder of ['js', 'types']) {
  for (const name of readdirSync(join(here, folder))) copy(`lane-wasm/${folder}/${name}`, name);
}
copy('lane-wasm/README.md', 'README.md');
for (const license of ['LICENSE-APACHE', 'LICENSE-MIT']) copy(license, license);
copy('lane-formats/schema/lane.schema.json', 'schema.json');

// One version for the whole workspace.
const version = /^\[workspace\.package\][^[]*?^version = "([^"]+)"/ms.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))[1];
writeFileSync(join(made, 'version.js'), `export const version = '${version}';\n`);
const about = JSON.parse(readFileSync(join(here, 'npm/package.json'), 'utf8'));
writeFileSync(join(made, 'package.json'), `${JSON.stringify({...about, version}, undefined, 2)}\n`);

// The page of every diagnostic, for hover texts.
const pages = join(root, 'lane-core/docs/codes');
const codes = {};
for (const name of readdirSync(pages).sort()) {
  const page = readFileSync(join(pages, name), 'utf8');
  const [, code, title] = /^# (LANE\d+): (.*)\n/.exec(page);
  codes[code] = {title, page};
}
writeFileSync(join(made, 'codes.json'), `${JSON.stringify(codes, undefined, 1)}\n`);

rmSync(place, {recursive: true, force: true});
renameSync(made, place);
